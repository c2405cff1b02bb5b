// Six toys for a shelf that is empty: of each its name, and its parts as name, width and height in millimetres, and count.

const TOYS = {
  Train: [["boiler", 180, 80, 1], ["cab", 90, 120, 1], ["base", 270, 25, 1], ["wheel", 60, 60, 6], ["chimney", 30, 50, 1]],
  Boat: [["hull", 240, 60, 2], ["deck", 200, 70, 1], ["mast", 15, 180, 1], ["sail", 120, 140, 1]],
  Plane: [["body", 260, 50, 2], ["wing", 300, 70, 2], ["tail", 110, 50, 1], ["propeller", 90, 15, 1]],
  House: [["wall", 160, 120, 2], ["side", 120, 120, 2], ["roof", 180, 110, 2], ["door", 40, 70, 1]],
  Elephant: [["body", 160, 110, 2], ["head", 80, 80, 1], ["ear", 50, 60, 2], ["trunk", 25, 90, 1], ["leg", 30, 60, 4]],
  Blocks: [["cube", 50, 50, 12], ["beam", 100, 50, 6], ["arch", 150, 50, 2]],
};

export const SAMPLES = Object.entries(TOYS).map(([name, parts]) => ({
  name,
  parts: parts.map(([name, width_mm, height_mm, count]) => ({ name, width_mm, height_mm, count })),
}));
