use super::line::line_of_text;

line_of_text! {
    /// A short name of somebody or something: one line of text, 100 characters at most.
    ///
    /// Any text becomes one: control characters are replaced by spaces and what is too long is
    /// cut. It may be empty.
    Label, 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_becomes_one_bounded_line(text in any::<String>()) {
            let label = Label::new(&text);
            prop_assert!(label.as_str().chars().count() <= Label::MAX_CHARS);
            prop_assert!(!label.as_str().chars().any(char::is_control));
            // What was stored and is read back is the same label.
            prop_assert_eq!(Label::new(label.as_str()), label);
        }
    }
}
