//! Letters as the rectangles that they are sawn from.

/// Width and height in millimetres of the tile that `c` is cut from, or
/// nothing for a space.
///
/// It is a sign-maker's alphabet with capitals 80 mm high; whatever it does not
/// know is cut from a square tile.
pub(super) fn tile(c: char) -> Option<(u32, u32)> {
    if c.is_whitespace() {
        return None;
    }
    let width = match c {
        'i' | 'j' | 'l' | 'I' | '!' | '|' | '.' | ',' | ':' | ';' | '\'' | '`' => 24,
        'f' | 'r' | 't' | '-' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | '/' | '\\' => 36,
        'm' | 'w' => 76,
        'M' | 'W' | '@' | '%' => 92,
        '0'..='9' => 50,
        'a'..='z' => 48,
        'A'..='Z' => 66,
        '!'..='~' => 56,
        _ => 80,
    };
    let height = match c {
        'b' | 'd' | 'f' | 'h' | 'i' | 'j' | 'k' | 'l' | 't' => 82,
        'g' | 'p' | 'q' | 'y' => 76,
        'a'..='z' => 56,
        '.' | ',' | '-' | '_' | '\'' | '`' | '"' | '~' => 30,
        _ => 80,
    };
    Some((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_character_but_a_space_has_a_tile(c in any::<char>()) {
            match tile(c) {
                None => prop_assert!(c.is_whitespace()),
                Some((width, height)) => {
                    prop_assert!((20..=100).contains(&width));
                    prop_assert!((20..=100).contains(&height));
                }
            }
        }
    }

    #[test]
    fn letters_differ_as_they_do_on_a_sign() {
        assert!(tile('W') > tile('w'));
        assert!(tile('w') > tile('i'));
        assert_eq!(tile('蛇'), tile('é'));
        assert_eq!(tile('\u{3000}'), None);
    }
}
