use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read to see what is told")]
struct Toy {
    name: String,
    #[serde(default)]
    parts: Vec<Part>,
    quantity: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read to see what is told")]
struct Part {
    width_mm: i64,
}

fn toy(body: &str) -> Failure {
    parse::<Toy>(body.as_bytes(), &mut { EFFORT }).unwrap_err()
}

/// What an answer tells of each field.
fn told(failure: &Failure) -> Vec<String> {
    let problem = serde_json::to_value(failure.problem()).unwrap();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["detail"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_wrong_is_told_with_its_position() {
    for (body, kind, says) in [
        ("", FailureKind::MalformedJson, "The body is empty"),
        ("{\n  \"name\": }", FailureKind::MalformedJson, "expected value at line 2, column 11"),
        (
            "{\"name\": \"x\"} {}",
            FailureKind::MalformedJson,
            "trailing characters at line 1, column 15",
        ),
        ("{\"name\": 7, \"x\"}", FailureKind::MalformedJson, "The body is no JSON"),
        ("{\"name\": \"x\"", FailureKind::MalformedJson, "EOF while parsing"),
        ("[]", FailureKind::InvalidValue, "it is an array, and should be an object"),
        (" [\"x\", [], 1]", FailureKind::InvalidValue, "it is an array, and should be an object"),
        (
            "7",
            FailureKind::InvalidValue,
            "The body is not as expected: it must be an object, not 7.",
        ),
        ("{}", FailureKind::InvalidValue, "name is missing"),
        ("{\"name\": 7}", FailureKind::InvalidValue, "name must be a string, not 7"),
        ("{\"name\": \"x\", \"name\": \"y\"}", FailureKind::InvalidValue, "name stands twice"),
        (
            "{\"name\": \"x\", \"colour\": 1}",
            FailureKind::InvalidValue,
            "colour is no field; there are name, parts, quantity",
        ),
        (
            "{\"name\": \"x\", \"quantity\": 1.5}",
            FailureKind::InvalidValue,
            "quantity must be a whole number, not 1.5",
        ),
        (
            "{\"name\": \"x\", \"parts\": [{\"width_mm\": 1}, {\"width_mm\": \"2\"}]}",
            FailureKind::InvalidValue,
            "parts[1].width_mm must be a whole number, not a string",
        ),
        (
            "{\"name\": \"x\", \"parts\": [{}]}",
            FailureKind::InvalidValue,
            "parts[0].width_mm is missing",
        ),
        (
            "{\"name\": \"x\", \"parts\": [{\"width_mm\": 1, \"x\": 1}]}",
            FailureKind::InvalidValue,
            "parts[0].x is no field",
        ),
    ] {
        let failure = toy(body);
        assert_eq!(failure.kind(), kind, "{body}: {}", failure.detail());
        assert!(failure.detail().contains(says), "{body}: {}", failure.detail());
    }
}

#[test]
fn invalid_utf8_and_deep_nesting_are_refused() {
    let deep = "[".repeat(10_000);
    let deep_within = format!("{{\"name\": {deep}");
    for body in [&b"{\"name\": \"\xff\"}"[..], deep.as_bytes(), deep_within.as_bytes()] {
        assert!(parse::<Toy>(body, &mut { EFFORT }).is_err());
    }
}

#[test]
fn all_wrong_fields_are_told_at_once() {
    let failure = toy(
        r#"{"colour": 1, "parts": [{"width_mm": "2"}, 7, {}, {"width_mm": 1, "x": 0, "width_mm": 2}],
        "quantity": "many"}"#,
    );
    assert_eq!(
        told(&failure),
        [
            "colour is no field; there are name, parts, quantity",
            "parts[0].width_mm must be a whole number, not a string",
            "parts[1] must be an object, not 7",
            "parts[2].width_mm is missing",
            "parts[3].x is no field; there is width_mm",
            "parts[3].width_mm stands twice",
            "quantity must be a whole number, not a string",
            "name is missing",
        ]
    );
    assert!(failure.detail().ends_with("; 7 more fields are wrong, see errors"));
}

#[test]
fn at_most_32_fields_are_told_and_what_a_client_sent_is_cut() {
    let many: BTreeMap<String, u8> =
        (0..1_000).map(|n| (format!("{n}-{}", "x".repeat(500)), 1)).collect();
    let failure = toy(&serde_json::to_string(&many).unwrap());
    let errors = told(&failure);
    assert!(!errors.is_empty() && errors.len() <= 32, "{}", errors.len());
    assert!(errors.iter().all(|error| error.chars().count() < 500));
    let many: BTreeMap<String, u8> = (0..100).map(|n| (n.to_string(), 1)).collect();
    assert_eq!(told(&toy(&serde_json::to_string(&many).unwrap())).len(), 32);
}

#[test]
fn who_has_no_effort_left_is_told_the_first_thing() {
    let body = br#"{"a": 1, "b": 2, "c": 3}"#;
    let failure = parse::<Toy>(body, &mut 0).unwrap_err();
    assert!((1..=2).contains(&told(&failure).len()), "{}", failure.detail());
    let mut effort = 1_000;
    let _ = parse::<Toy>(body, &mut effort);
    assert_eq!(effort, 1_000 - 5 * body.len());
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read to see what is told")]
struct Open {
    name: Option<Name>,
    #[serde(default)]
    parts: Vec<OpenPart>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read to see what is told")]
struct OpenPart {
    size: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Name;

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name.is_empty() { Err("nothing has no name") } else { Ok(Self) }
    }
}

#[test]
fn what_a_type_would_pass_over_is_refused_by_its_name() {
    let whole = |body: &str| parse_whole::<Open>(body.as_bytes(), |_| Vec::new(), &mut { EFFORT });
    assert!(whole(r#"{"name": "x", "parts": [{"size": 1}, {}]}"#).is_ok());
    for (body, says) in [
        (r#"{"colour": 1}"#, "colour is no field"),
        (r#"{"parts": [{}, {"size": 1, "gr\u00f6\u00dfe": {}}]}"#, "parts[1].größe is no field"),
        (
            r#"{"parts": [{"size": "x"}], "colour": 1}"#,
            "parts[0].size must be a whole number, not a string; 1 more field is wrong",
        ),
        (r#"{"name": ""}"#, "name is refused: nothing has no name"),
        (r#"{"colour": 1} x"#, "The body is no JSON: trailing characters"),
    ] {
        let failure = whole(body).unwrap_err();
        assert!(failure.detail().starts_with(says), "{body}: {}", failure.detail());
    }
    assert!(
        parse::<Open>(br#"{"colour": 1}"#, &mut { EFFORT }).is_ok(),
        "unless it is asked to pass it over"
    );
}

#[test]
fn what_the_domain_says_is_told_beside_what_is_too_much_but_not_of_what_could_not_be_read() {
    let check = |open: &Open| {
        let parts = open.parts.len();
        Vec::from([
            Invalid::new("parts", format!("must be two, not {parts}")),
            Invalid::new("parts", "must be read"),
        ])
    };
    let whole = |body: &str| parse_whole(body.as_bytes(), check, &mut { EFFORT }).unwrap_err();
    assert_eq!(
        told(&whole(r#"{"colour": 1, "parts": []}"#)),
        ["colour is no field", "parts must be two, not 0"]
    );
    assert_eq!(told(&whole(r#"{"name": ""}"#)), ["name is refused: nothing has no name"]);
}

/// One field of each kind that serde knows.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read to see what is told")]
struct Zoo {
    small: u8,
    large: u64,
    signed: i32,
    share: f64,
    flag: bool,
    text: String,
    letter: char,
    pair: (u8, String),
    list: Vec<u16>,
    map: BTreeMap<u32, bool>,
    size: Size,
    either: Either,
    id: uuid::Uuid,
    #[serde(with = "time::serde::rfc3339")]
    at: time::OffsetDateTime,
    inner: Inner,
    unit: (),
    even: Even,
    raw: Box<serde_json::value::RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[expect(dead_code, reason = "only read to see what is told")]
enum Shape {
    Round { radius: u32 },
    Square { side: u32 },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only read to see what is told")]
enum Either {
    Number(u8),
    Text(String),
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read to see what is told")]
struct Inner {
    deep: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "u32")]
struct Even;

impl TryFrom<u32> for Even {
    type Error = String;

    fn try_from(n: u32) -> Result<Self, String> {
        if n % 200 == 100 { Ok(Self) } else { Err(format!("must be a hundred, not {n}")) }
    }
}

/// A right and a wrong value of each field, and what is told of the wrong one.
fn values() -> [(&'static str, Value, Value, &'static str); 17] {
    [
        ("small", json!(1), json!(256), "small must be a whole number from 0 to 255, not 256"),
        ("large", json!(1), json!(-1), "large must be a whole number, 0 or more, not -1"),
        (
            "signed",
            json!(-1),
            json!(null),
            "signed must be a whole number from -2,147,483,648 to 2,147,483,647, not null",
        ),
        ("share", json!(0.5), json!("half"), "share must be a number, not a string"),
        ("flag", json!(true), json!("yes"), "flag must be true or false, not a string"),
        ("text", json!("x"), json!(["x"]), "text must be a string, not an array"),
        ("letter", json!("x"), json!("xy"), "letter must be one character, not \"xy\""),
        (
            "pair",
            json!([1, "x"]),
            json!([1]),
            "pair must be an array of 2 items, not one of 1 item",
        ),
        ("list", json!([1, 2]), json!({}), "list must be an array, not an object"),
        ("map", json!({"7": true}), json!(7), "map must be an object, not 7"),
        (
            "size",
            json!("small"),
            json!("huge"),
            "size must be one of \"small\", \"large\", not \"huge\"",
        ),
        ("either", json!("x"), json!(true), "either is in none of the forms that it may have"),
        (
            "id",
            json!("0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f"),
            json!(7),
            "id must be a formatted UUID string, not 7",
        ),
        ("at", json!("2026-11-30T10:00:00Z"), json!(7), "at cannot be 7"),
        ("inner", json!({"deep": []}), json!({}), "inner.deep is missing"),
        ("unit", json!(null), json!(1), "unit must be null, not 1"),
        ("even", json!(100), json!(101), "even must be a hundred, not 101"),
    ]
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read to see what is told")]
struct Tagged {
    shape: Shape,
    small: u8,
    last: u8,
}

#[test]
fn where_nothing_can_stand_in_the_fields_that_were_sent_are_told_all_the_same() {
    let body = r#"{"shape": {"kind": "round", "radius": -1}, "small": "1", "last": null}"#;
    let failure = parse::<Tagged>(body.as_bytes(), &mut { EFFORT }).unwrap_err();
    assert_eq!(
        told(&failure),
        [
            "shape must be a whole number from 0 to 4,294,967,295, not -1",
            "small must be a whole number from 0 to 255, not a string",
            "last must be a whole number from 0 to 255, not null",
        ]
    );
}

proptest! {
    #[test]
    fn each_field_that_is_wrong_is_told_and_no_other(wrong in prop::collection::vec(prop::sample::select(vec![0, 1, 2]), 17)) {
        let mut body = json!({"raw": {"any": "thing"}});
        let mut expected = Vec::new();
        for ((name, right, bad, says), how) in values().into_iter().zip(wrong) {
            match how {
                0 => body[name] = right,
                1 => {
                    body[name] = bad;
                    expected.push(says.to_owned());
                }
                // null is what a missing one is read as.
                _ if name == "unit" => body[name] = right,
                _ => expected.push(format!("{name} is missing")),
            }
        }
        let read = parse_whole::<Zoo>(body.to_string().as_bytes(), |_| Vec::new(), &mut { EFFORT });
        let mut found = read.map_or_else(|failure| told(&failure), |_| Vec::new());
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn whatever_is_sent_is_refused_without_words_of_rust(body in any_json(), cut in 0_usize..200) {
        let mut text = json!({"small": body, "inner": body, "shape": body, "either": body, "pair": body}).to_string();
        let whole = text.len();
        let at = (0..=(whole - cut % whole)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(at);
        if let Err(failure) = parse_whole::<Zoo>(text.as_bytes(), |_| Vec::new(), &mut { EFFORT }) {
            for told in told(&failure) {
                for word in ["u8", "u32", "i64", "struct", "invalid type", "sequence", "enum ", "variant"] {
                    prop_assert!(!told.contains(word), "{}", told);
                }
            }
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,4}".prop_map(|text| Value::from(text.replace(char::is_alphanumeric, "-"))),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                prop::sample::select(vec!["deep", "kind", "radius", "-"]),
                inner,
                0..4
            )
            .prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}
