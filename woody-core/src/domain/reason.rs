use super::line::line_of_text;

line_of_text! {
    /// Why an order ended as it did: one line of text, 500 characters at most.
    ///
    /// Any text becomes one: control characters are replaced by spaces and what is too long
    /// is cut, since a reason often quotes the error of a dependency.
    Reason, 500
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_becomes_one_bounded_line(text in any::<String>()) {
            let reason = Reason::new(&text);
            prop_assert!(reason.as_str().chars().count() <= Reason::MAX_CHARS);
            prop_assert!(!reason.as_str().chars().any(char::is_control));
            // What was stored and is read back is the same reason.
            prop_assert_eq!(Reason::new(reason.as_str()), reason);
        }
    }

    #[test]
    fn a_cut_at_a_blank_leaves_none() {
        let text = format!("\0{} b", "a".repeat(Reason::MAX_CHARS - 1));
        assert_eq!(Reason::new(text).as_str(), "a".repeat(Reason::MAX_CHARS - 1));
    }
}
