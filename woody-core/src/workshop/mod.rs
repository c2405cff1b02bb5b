//! The workshop: plans how toys are cut from wooden sheets.
