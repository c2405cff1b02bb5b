use proptest::prelude::*;

use crate::domain::{Part, Parts, ProductName, Quantity};
use crate::workshop::{CannotMake, CuttingList, Workshop};

/// Reads the little XML that drawings are made of: every tag is closed in its
/// order, every attribute quoted, every `&` the start of a known entity.
fn check_xml(svg: &str) -> Result<Vec<String>, String> {
    let mut open: Vec<&str> = Vec::new();
    let mut texts = Vec::new();
    let mut rest = svg.trim_end();
    while let Some(start) = rest.find('<') {
        check_text(&rest[..start])?;
        if !rest[..start].trim().is_empty() {
            texts.push(unescape(&rest[..start]));
        }
        let end = rest.find('>').ok_or("a tag without its end")?;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(closing) = tag.strip_prefix('/') {
            if open.pop() != Some(closing) {
                return Err(format!("</{closing}> closes nothing"));
            }
            continue;
        }
        let inner = tag.strip_suffix('/').unwrap_or(tag);
        let (name, attributes) = inner.split_once(' ').unwrap_or((inner, ""));
        if attributes.matches('"').count() % 2 != 0 || attributes.contains('<') {
            return Err(format!("bad attributes: {attributes}"));
        }
        check_text(attributes)?;
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    if !open.is_empty() || !rest.is_empty() {
        return Err(format!("left open: {open:?}, left over: {rest:?}"));
    }
    Ok(texts)
}

fn check_text(text: &str) -> Result<(), String> {
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        if !known.iter().any(|entity| text[at..].starts_with(entity)) {
            return Err(format!("a bare & in {text:?}"));
        }
    }
    Ok(())
}

fn unescape(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

fn drawn(name: &ProductName, parts: Vec<Part>, quantity: Quantity) -> String {
    let list = CuttingList::of(name, &Parts::new(parts).unwrap());
    Workshop::default().plan(&list, quantity).unwrap().to_svg(name.as_str())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_name_is_drawn_as_text(text in "[<>&\"'a/!\\-\\[\\]\\PC]{1,60}", letters in any::<bool>()) {
        let Ok(name) = ProductName::parse(&text) else { return Ok(()) };
        let part = Part { name: name.clone(), width_mm: 300, height_mm: 200, count: 2, grain: false };
        let parts = if letters { vec![] } else { vec![part] };
        let svg = drawn(&name, parts, Quantity::ONE);
        let texts = check_xml(&svg).map_err(TestCaseError::fail)?;
        let title = format!("Cutting plan of {name}");
        prop_assert!(texts.contains(&title), "{texts:?}");
    }
}

#[test]
fn a_script_stays_a_name() {
    let name = ProductName::parse("</title><script>alert('x')</script>\u{ffff}").unwrap();
    let part = Part { name: name.clone(), width_mm: 900, height_mm: 500, count: 3, grain: false };
    let svg = drawn(&name, vec![part], Quantity::ONE);
    assert!(!svg.contains("<script"));
    assert!(!svg.contains('\u{ffff}'));
    check_xml(&svg).unwrap();
}

#[test]
fn a_drawing_is_bounded_and_says_what_it_leaves_out() {
    let name = ProductName::parse("chest").unwrap();
    let parts = (0..200).map(|i| Part {
        name: ProductName::parse(&"&".repeat(200)).unwrap(),
        width_mm: 380 + i % 37,
        height_mm: 380 + i % 41,
        count: 1,
        grain: false,
    });
    let svg = drawn(&name, parts.collect(), Quantity::BATCH);
    let texts = check_xml(&svg).unwrap();
    assert!(texts.iter().any(|text| text.contains("more sheets, cut in")), "{texts:?}");
    assert!(svg.len() < 700_000, "{}", svg.len());
}

#[test]
fn a_drawing_has_every_cut_with_its_number_and_every_size() {
    let name = ProductName::parse("shelf").unwrap();
    let part = |name: &str, width_mm, height_mm, count| Part {
        name: ProductName::parse(name).unwrap(),
        width_mm,
        height_mm,
        count,
        grain: name == "side",
    };
    let parts = vec![part("side", 600, 300, 2), part("board", 400, 280, 4)];
    let list = CuttingList::of(&name, &Parts::new(parts).unwrap());
    let plan = Workshop::default().plan(&list, Quantity::ONE).unwrap();
    let svg = plan.to_svg("shelf");
    let texts = check_xml(&svg).unwrap();
    let cuts = plan.layouts[0].cuts;
    for number in 1..=cuts {
        assert!(texts.contains(&number.to_string()), "cut {number} of {cuts}: {texts:?}");
    }
    for told in ["side", "600 × 300", "board", "side (grain ↔)", "1220", "1 × shelf"] {
        assert!(texts.iter().any(|text| text == told), "{told}: {texts:?}");
    }
    assert!(svg.contains("size:A4 landscape") && svg.contains("mm\" viewBox="), "{svg}");
}

#[test]
fn sheets_that_are_cut_alike_are_one_page() {
    let name = ProductName::parse("board").unwrap();
    let part =
        Part { name: name.clone(), width_mm: 2_440, height_mm: 1_220, count: 1, grain: false };
    let svg = drawn(&name, vec![part], Quantity::new(12).unwrap());
    let texts = check_xml(&svg).unwrap();
    assert!(texts.contains(&"cut × 12: board".to_owned()), "{texts:?}");
    assert!(texts.contains(&"2440 × 1220 mm, layout 1 of 1".to_owned()), "{texts:?}");
}

#[test]
fn what_cannot_be_made_is_drawn_too() {
    let cannot = CannotMake::PartTooLarge {
        part: "<b>".into(),
        width_mm: 9_999,
        height_mm: 1,
        room_width_mm: 2_440,
        room_height_mm: 1_220,
        turned_would_fit: false,
    };
    let texts = check_xml(&cannot.to_svg("a & b")).unwrap();
    assert!(texts.contains(&"No cutting plan of a & b".to_owned()), "{texts:?}");
    assert!(texts.contains(&cannot.to_string()), "{texts:?}");
}
