use std::collections::BTreeMap;

use super::*;
use crate::domain::ToyOrder;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Parcel {
    lines: Vec<Line>,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    name: String,
    count: u8,
}

impl OrderDetails for Parcel {
    const NAME: &'static str = "parcel";

    fn check(&self) -> Result<(), Invalid> {
        if self.lines.is_empty() { Err(Invalid::new("lines", "must not be empty")) } else { Ok(()) }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Anything(serde_json::Value);

impl OrderDetails for Anything {
    const NAME: &'static str = "anything";
}

fn anything(text: &str) -> Anything {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_is_wrong_is_told_with_its_path() {
    let details =
        Details::parse(r#"{"lines": [{"name": "a", "count": 1}, {"name": "b", "count": 300}]}"#);
    let error = details.unwrap().decode::<Parcel>().unwrap_err().to_string();
    assert!(error.starts_with("lines[1].count: "), "{error}");
    let error = Details::parse(r#"{"lines": []}"#).unwrap().decode::<Parcel>().unwrap_err();
    assert_eq!(error, DetailsError::Invalid(Invalid::new("lines", "must not be empty")));
}

#[test]
fn only_bounded_objects_without_reserved_names_are_details() {
    for text in ["[]", "7", "\"x\"", "null", "", "{", "{} {}"] {
        assert!(matches!(Details::parse(text), Err(DetailsError::NoObject(_))), "{text}");
    }
    for text in ["[1]", "7", "null"] {
        let error = Details::of(&anything(text), 99).unwrap_err();
        assert!(matches!(error, DetailsError::NoObject(_)), "{error}");
    }
    for name in Details::RESERVED {
        let text = format!(r#"{{"a": 1, "{name}": 2}}"#);
        assert_eq!(Details::parse(&text), Err(DetailsError::Reserved(name)));
        assert_eq!(Details::of(&anything(&text), 99), Err(DetailsError::Reserved(name)));
        // Deeper down it is the embedder's own.
        let text = format!(r#"{{"a": {{"{name}": 2}}, "b": "\"{name}\""}}"#);
        assert!(Details::parse(&text).is_ok());
        assert!(Details::of(&anything(&text), 99).is_ok());
    }
    assert_eq!(
        Details::of(&anything(r#"{"a":"xxxxxxxxxx"}"#), 10),
        Err(DetailsError::TooLarge { bytes: 18, at_most: 10 })
    );
    let endless = format!("{{\"a\":\"{}\"}}", "x".repeat(Details::LARGEST));
    assert!(matches!(Details::parse(&endless), Err(DetailsError::TooLarge { .. })));
}

#[test]
fn what_could_not_be_read_back_is_not_accepted() {
    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Weight {
        grams: f64,
    }
    impl OrderDetails for Weight {
        const NAME: &'static str = "weight";
    }
    assert!(Details::of(&Weight { grams: 1.5 }, 99).is_ok());
    let error = Details::of(&Weight { grams: f64::NAN }, 99).unwrap_err();
    assert!(matches!(&error, DetailsError::Unreadable { path, .. } if path == "grams"), "{error}");
}

#[test]
fn the_same_details_may_be_written_differently() {
    let toy = |text| Details::parse(text).unwrap();
    let same = [
        r#"{"product":"a","quantity":1}"#,
        r#"{"quantity": 1, "product": " a "}"#,
        r#"{"product":"a"}"#,
    ];
    for (one, other) in same.iter().zip(same.iter().cycle().skip(1)) {
        assert!(toy(one).mean_the_same::<ToyOrder>(&toy(other)), "{one} {other}");
    }
    assert!(!toy(same[0]).mean_the_same::<ToyOrder>(&toy(r#"{"product":"a","quantity":2}"#)));
    // What is no toy is the same as nothing else.
    assert!(!toy("{}").mean_the_same::<ToyOrder>(&toy(r#"{"x":1}"#)));
}

#[test]
fn details_are_written_as_the_object_that_they_are() {
    let map = BTreeMap::from([("order", Details::parse(r#"{"a": [1,  2]}"#).unwrap())]);
    let text = serde_json::to_string(&map).unwrap();
    assert_eq!(text, r#"{"order":{"a": [1,  2]}}"#);
    let read: BTreeMap<String, Details> = serde_json::from_str(&text).unwrap();
    assert_eq!(read["order"], map["order"]);
    // And of themselves they are the same text.
    assert_eq!(Details::of(&map["order"], 99).as_ref(), Ok(&map["order"]));
}
