use woody_cutting::{Effort, Part, Problem, Saw, Stock, Unplanned};

fn refused(parts: Vec<Part>, stock: Vec<Stock>, saw: Saw) -> String {
    Problem::new(parts, stock, saw).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_planned_is_named_with_what_would_do() {
    let part = || Part::new(10, 20);
    let sheet = || Stock::new(100, 50);
    let saw = Saw::default();
    for (parts, stock, saw, says) in [
        (vec![], vec![sheet()], saw, "there must be 1 to 1000 different parts, not 0"),
        (
            vec![part(); 1_001],
            vec![sheet()],
            saw,
            "there must be 1 to 1000 different parts, not 1001",
        ),
        (vec![part()], vec![], saw, "there must be 1 to 64 sizes in stock, not 0"),
        (
            vec![part(), Part::new(0, 5)],
            vec![sheet()],
            saw,
            "part [1] is 0 x 5 mm; each side must be 1 to 100000 mm",
        ),
        (
            vec![Part::new(5, u32::MAX)],
            vec![sheet()],
            saw,
            "part [0] is 5 x 4294967295 mm; each side must be 1 to 100000 mm",
        ),
        (
            vec![part().times(0)],
            vec![sheet()],
            saw,
            "part [0] has count 0; leave it out or give it a count of 1 or more",
        ),
        (
            vec![part()],
            vec![Stock::new(0, 1)],
            saw,
            "sheet [0] is 0 x 1 mm; each side must be 1 to 100000 mm",
        ),
        (
            vec![part()],
            vec![sheet().priced(u64::MAX)],
            saw,
            "sheet [0] costs 18446744073709551615; the most is 10000000000",
        ),
        (
            vec![part()],
            vec![sheet()],
            Saw { trim_mm: u32::MAX, ..saw },
            "a kerf of 3 mm and a trim of 4294967295 mm leave nothing of sheet [0]",
        ),
        (
            vec![Part::new(40, 60).with_grain()],
            vec![sheet()],
            saw,
            "part [0] of 40 x 60 mm fits no sheet; the largest has room for 100 x 50 mm, and the part would fit if its grain let it be turned",
        ),
        (
            vec![Part::new(40, 60)],
            vec![sheet()],
            Saw { trim_mm: 6, ..saw },
            "part [0] of 40 x 60 mm fits no sheet; the largest has room for 88 x 38 mm",
        ),
        (
            vec![part().times(1_000_001)],
            vec![sheet()],
            saw,
            "1000001 pieces are wanted; at most 1000000 can be planned together",
        ),
        (
            vec![part().times(u32::MAX); 1_000],
            vec![sheet()],
            saw,
            "4294967295000 pieces are wanted; at most 1000000 can be planned together",
        ),
    ] {
        assert_eq!(refused(parts, stock, saw), says);
    }
}

#[test]
fn sheets_at_hand_that_are_too_few_are_said_to_be() {
    let problem = Problem::new(
        vec![Part::new(60, 60).times(5)],
        vec![Stock::new(100, 100).limited(2), Stock::new(70, 70).limited(1)],
        Saw::default(),
    )
    .unwrap();
    let unplanned = problem.plan(&Effort::steps(10_000)).unwrap_err();
    assert_eq!(unplanned, Unplanned::OutOfStock { missing: 2, first: 0 });
}

#[test]
fn a_search_ends_when_its_caller_gives_up() {
    let parts = (0..60).map(|i| Part::new(100 + i * 7 % 83, 60 + i * 11 % 97)).collect();
    let problem = Problem::new(parts, vec![Stock::new(500, 400)], Saw::default()).unwrap();
    let mut asked = 0;
    let plan = problem.plan_while(&Effort::steps(u64::MAX), || {
        asked += 1;
        asked < 10
    });
    assert!(plan.is_ok());
    assert_eq!(asked, 10);
}

#[test]
fn a_million_pieces_take_bounded_work() {
    for parts in [
        vec![Part::new(1, 1).times(1_000_000)],
        (0..1_000).map(|i| Part::new(1 + i % 29, 1 + i % 31).times(1_000)).collect(),
        (0..1_000).map(|i| Part::new(600 + i, 500 + i % 40)).collect(),
    ] {
        let problem = Problem::new(parts, vec![Stock::new(2_440, 1_220)], Saw::default()).unwrap();
        let plan = problem.plan(&Effort::steps(10_000)).unwrap();
        assert_eq!(woody_cutting::check::verify(&problem, &plan), Ok(()));
    }
}

/// A search of what is known to be the best would take all its steps.
#[test]
fn a_piece_that_few_of_many_sizes_hold_is_proven_at_once() {
    let stock = (1..=64).map(|n| Stock::new(50 * n, 20 * n)).collect();
    let problem = Problem::new(vec![Part::new(1_900, 700)], stock, Saw::default()).unwrap();
    let plan = problem.plan(&Effort::default()).unwrap();
    assert!(plan.is_proven());
    assert_eq!(plan.sheets[0].stock, 37);
}
