//! Draws how some toys are cut, into the folder that is given (`target/drawings` otherwise).
//!
//! `cargo run --features workshop --example drawings`

#![allow(clippy::print_stdout)]

use std::{env, fs, path::PathBuf};

use woody::domain::{Part, Parts, ProductName, Quantity};
use woody::workshop::{CuttingList, Workshop};

/// A part: its name, width and height in millimetres, and how many of it.
type OnePart = (&'static str, u32, u32, u32);

const DOLLS_HOUSE: &[OnePart] = &[
    ("floor", 600, 400, 2),
    ("side wall", 400, 350, 2),
    ("back wall", 600, 350, 1),
    ("roof", 640, 260, 2),
    ("stairs", 300, 90, 1),
    ("shutter", 80, 60, 8),
];

/// Name, how many, and a cutting list where it is not the letters of the name.
const TOYS: [(&str, i64, &[OnePart]); 6] = [
    ("Train", 5, &[]),
    ("Rocking Horse", 20, &[]),
    ("Dolls' house", 12, DOLLS_HOUSE),
    ("Dolls' house", 1, DOLLS_HOUSE),
    ("Woody", 500, &[]),
    (
        "Hundred pieces",
        1,
        &[
            ("panel", 410, 190, 12),
            ("shelf", 300, 150, 18),
            ("ledge", 240, 60, 30),
            ("block", 90, 70, 40),
        ],
    ),
];

/// Parts whose grain shows.
const GRAIN: [&str; 2] = ["floor", "roof"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = env::args_os().nth(1).map_or_else(|| "target/drawings".into(), PathBuf::from);
    fs::create_dir_all(&folder)?;
    for (toy, quantity, parts) in TOYS {
        let name = ProductName::parse(toy)?;
        let part = |&(name, width_mm, height_mm, count): &OnePart| {
            let grain = GRAIN.contains(&name);
            Ok(Part { name: ProductName::parse(name)?, width_mm, height_mm, count, grain })
        };
        let parts = parts.iter().map(part).collect::<Result<Vec<_>, woody::domain::Invalid>>()?;
        let list = CuttingList::of(&name, &Parts::new(parts)?);
        let plan = Workshop::default().plan(&list, Quantity::new(quantity)?)?;
        let words = toy.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let file = words.collect::<Vec<_>>().join("-").to_lowercase();
        let file = folder.join(format!("{file}-{quantity}.svg"));
        fs::write(&file, plan.to_svg(toy))?;
        println!("{}: {}", file.display(), plan.summary().as_str());
    }
    Ok(())
}
