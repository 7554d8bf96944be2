/* Draws the faces of the figure and of the worst frames, in the order in which they stand. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const column = new Map(data.names.map((name, place) => [name, place]));
  const drawings = [...document.querySelectorAll("svg.face")];
  data.faces.flat().forEach((values, place) => drawFace(drawings[place], (name) => values[column.get(name)]));
})();
