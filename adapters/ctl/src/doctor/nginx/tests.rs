use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn directive(line: usize, words: &[&str], block: Option<Vec<Directive>>) -> Directive {
    let (name, args) = words.split_first().unwrap();
    let args = args.iter().map(ToString::to_string).collect();
    Directive { name: (*name).to_owned(), args, block, line }
}

#[test]
fn blocks_comments_and_lines_are_kept_apart() {
    let text = "a 1;# to the end; { \"\n\nhttp { # in it\n  b\n    c#d;\n  e { }\n}\n";
    let inside = vec![directive(4, &["b", "c#d"], None), directive(6, &["e"], Some(vec![]))];
    let whole = vec![directive(1, &["a", "1"], None), directive(3, &["http"], Some(inside))];
    assert_eq!(parse(text), Ok(whole));
}

#[test]
fn quotes_hold_a_word_together_and_a_backslash_a_quote() {
    let text = r#"return 503 '{"error": "it\'s; {"}' "a\tb\"c\\d" "";"#;
    let words = ["return", "503", r#"{"error": "it's; {"}"#, "a\tb\"c\\d", ""];
    assert_eq!(parse(text), Ok(vec![directive(1, &words, None)]));
}

#[test]
fn a_brace_after_a_dollar_is_a_variable_and_one_inside_a_word_no_end() {
    let text = "rate ${limit}r/s;\nlocation ~ ^/[a-z]+\\.php$ {}\nif ($x = \"y\") { a b}c; }\n";
    let inside = vec![directive(3, &["a", "b}c"], None)];
    let whole = vec![
        directive(1, &["rate", "${limit}r/s"], None),
        directive(2, &["location", "~", "^/[a-z]+\\.php$"], Some(vec![])),
        directive(3, &["if", "($x", "=", "y", ")"], Some(inside)),
    ];
    assert_eq!(parse(text), Ok(whole));
}

#[test]
fn a_row_of_a_map_may_have_an_empty_name() {
    let rows = vec![directive(2, &["", "$own"], None), directive(3, &["default", "x"], None)];
    let text = "map $a $b {\n\"\" $own;\ndefault x; }";
    assert_eq!(parse(text), Ok(vec![directive(1, &["map", "$a", "$b"], Some(rows))]));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, line, says) in [
        ("a;\n;", 2, "unexpected \";\""),
        ("\n{", 2, "unexpected \"{\""),
        ("a;\n}\n", 2, "unexpected \"}\""),
        ("a {\n b\n}", 3, "unexpected \"}\""),
        ("a {\n b;\n", 3, "expecting \"}\""),
        ("a\n b", 2, "expecting \";\" or \"{\""),
        ("a \"b\nc", 1, "is not closed"),
        ("a 'b'c;", 1, "unexpected \"c\""),
        (&"a{".repeat(40), 1, "nested deeper than 32"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.line, line, "{text}: {error:?}");
        assert!(error.what.contains(says), "{text}: {error:?}");
    }
}

/// Writes directives so that their lines are as they say.
fn write(directives: &[Directive], text: &mut String) {
    for directive in directives {
        for word in std::iter::once(&directive.name).chain(&directive.args) {
            let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
            let _ = write!(text, "\"{escaped}\" ");
        }
        if let Some(block) = &directive.block {
            text.push_str("{ # a comment\n");
            write(block, text);
            text.push_str("}\n");
        } else {
            text.push_str(";\n");
        }
    }
}

/// Numbers the lines as [`write`] lays them.
fn number(directives: &mut [Directive], line: &mut usize) {
    for directive in directives {
        directive.line = *line;
        let words = std::iter::once(&directive.name).chain(&directive.args);
        *line += 1 + words.map(|word| word.matches('\n').count()).sum::<usize>();
        if let Some(block) = &mut directive.block {
            number(block, line);
            *line += 1;
        }
    }
}

fn directives() -> impl Strategy<Value = Vec<Directive>> {
    let words = || (any::<String>(), prop::collection::vec(any::<String>(), 0..4));
    let leaf = words().prop_map(|(name, args)| Directive { name, args, block: None, line: 0 });
    let tree = leaf.prop_recursive(4, 30, 5, move |inner| {
        let block = prop::option::of(prop::collection::vec(inner, 0..5));
        (words(), block).prop_map(|((name, args), block)| Directive { name, args, block, line: 0 })
    });
    prop::collection::vec(tree, 0..4).prop_map(|mut directives| {
        number(&mut directives, &mut 1);
        directives
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_with_its_lines(directives in directives()) {
        let mut text = String::new();
        write(&directives, &mut text);
        prop_assert_eq!(parse(&text), Ok(directives));
    }

    #[test]
    fn it_never_panics(text in any::<String>(), dense in "[a${}; \"'\\\\#\n]*") {
        let _ = parse(&text);
        let _ = parse(&dense);
    }

    #[test]
    fn a_line_that_is_named_is_there(text in "[a${}; \"'\\\\#\n]*") {
        if let Err(error) = parse(&text) {
            prop_assert!((1..=text.matches('\n').count() + 1).contains(&error.line));
        }
    }
}
