/* The player: one frame is current, and everything on the page follows it. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const width = data.names.length;
  const column = new Map(data.names.map((name, place) => [name, place]));
  const rowOf = new Map(data.frames.map((frame, row) => [frame, row]));
  const last = data.frames.length - 1;

  const unpack = (packed) => {
    const bytes = Uint8Array.from(atob(packed.data), (one) => one.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const out = new Float32Array(bytes.length / 2);
    for (let at = 0; at < out.length; at += 1) {
      const whole = view.getInt16(2 * at, true);
      out[at] = whole === -32768 ? NaN : whole * packed.step;
    }
    return out;
  };
  const raw = unpack(data.raw);
  const clean = data.clean ? unpack(data.clean) : raw;
  let shown = clean;

  const pictures = new Map(Object.entries(data.pictures).map(([frame, uri]) => [Number(frame), uri]));
  for (const image of all("img[data-picture]")) pictures.set(Number(image.dataset.picture), image.src);
  const pictured = [...pictures.keys()].sort((a, b) => a - b);
  const flagRows = [...new Set(data.flags.map((flag) => rowOf.get(flag[2])))].sort((a, b) => a - b);

  let row = 0;
  let playing = 0;

  const showPicture = (frame) => {
    const image = byId("picture");
    if (!image) return;
    let low = 0, high = pictured.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pictured[middle] <= frame) low = middle; else high = middle - 1;
    }
    const near = pictured[low];
    const uri = pictures.get(near);
    if (image.src !== uri) image.src = uri;
    const exact = near === frame;
    image.alt = `Footage, frame ${near}`;
    byId("picture-note").textContent = exact ? `Footage, frame ${near}` : `Footage, frame ${near} (the nearest here)`;
  };

  const entry = (list, name, text) => {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = name;
    dd.textContent = text;
    list.append(dt, dd);
  };

  const showWords = () => {
    const status = data.status[row];
    const state = byId("state");
    const sure = data.confidence[row];
    const marks = data.flags.filter((flag) => flag[0] <= data.frames[row] && data.frames[row] <= flag[1]).map((flag) => flag[3])
      .filter((reason) => reason !== status.replace("_", " "));
    const parts = [status === "ok" ? "" : status.replace("_", " "), sure === null ? "" : `confidence ${sure.toFixed(2)}`,
      data.faces[row] > 1 ? `${data.faces[row]} faces` : "", data.messages[row],
      marks.length ? `flagged: ${[...new Set(marks)].join(", ")}` : ""];
    state.textContent = parts.filter(Boolean).join(" · ");
    state.classList.toggle("none", status !== "ok");
    const list = byId("movements");
    list.replaceChildren();
    const text = data.said[row] < 0 ? null : data.texts[data.said[row]];
    byId("category").textContent = text ? text.expression_category : "No description";
    if (!text) return;
    for (const [region, words] of Object.entries(text.muscle_movements)) entry(list, region.replaceAll("_", " "), words);
    entry(list, "emotion", text.emotional_implication);
    entry(list, "symmetry", text.symmetry);
  };

  const outputs = all("output[data-column]").map((node) => [node, Number(node.dataset.column), "degrees" in node.dataset]);
  const showValues = () => {
    for (const [node, at, degrees] of outputs) {
      const value = shown[row * width + at];
      node.textContent = Number.isNaN(value) ? "–" : degrees ? `${Math.round((value * 180) / Math.PI) + 0}°` : value.toFixed(2);
    }
    const sure = byId("confidence");
    if (sure) sure.textContent = data.confidence[row] === null ? "–" : data.confidence[row].toFixed(2);
    const absent = Number.isNaN(shown[row * width]);
    drawFace(byId("face"), absent ? null : (name) => shown[row * width + column.get(name)]);
  };

  const place = () => {
    const lanes = byId("lanes");
    const label = getComputedStyle(lanes).getPropertyValue("--label").trim() || "0rem";
    byId("playhead").style.left = `calc(${label} + (100% - ${label}) * ${data.places[row]})`;
  };

  const go = (to) => {
    row = Math.min(Math.max(to, 0), last);
    const frame = data.frames[row];
    byId("seek").value = row;
    byId("seek").setAttribute("aria-valuetext", `frame ${frame}`);
    byId("where").textContent = `${frame}  ${data.times[row].toFixed(2)} s${data.timecodes.length ? `  ${data.timecodes[row]}` : ""}`;
    showPicture(frame);
    showWords();
    showValues();
    place();
    for (const node of all(".poses button")) node.setAttribute("aria-current", String(Number(node.dataset.frame) === frame));
  };

  const stop = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    byId("play").textContent = "▶";
    byId("play").setAttribute("aria-label", "Play");
  };
  const play = () => {
    if (playing) return stop();
    if (row === last) go(0);
    let from = performance.now(), start = data.times[row], speed = Number(byId("speed").value);
    byId("play").textContent = "❚❚";
    byId("play").setAttribute("aria-label", "Pause");
    const tick = (now) => {
      const chosen = Number(byId("speed").value);
      if (chosen !== speed) [from, start, speed] = [now, data.times[row], chosen];
      const at = start + ((now - from) / 1000) * speed;
      let next = row;
      while (next < last && data.times[next + 1] <= at) next += 1;
      if (next !== row) go(next);
      if (row === last) return stop();
      playing = requestAnimationFrame(tick);
    };
    playing = requestAnimationFrame(tick);
  };
  const toFlag = (direction) => {
    const wanted = direction > 0 ? flagRows.find((at) => at > row) : flagRows.findLast((at) => at < row);
    if (wanted !== undefined) go(wanted);
  };
  const by = (step) => { stop(); go(row + step); };

  const actions = { play, back: () => by(-1), next: () => by(1), "flag-back": () => { stop(); toFlag(-1); }, "flag-next": () => { stop(); toFlag(1); } };
  for (const [id, run] of Object.entries(actions)) byId(id).addEventListener("click", run);
  byId("flag-back").disabled = byId("flag-next").disabled = flagRows.length === 0;
  byId("seek").max = last;
  byId("seek").addEventListener("input", (event) => { stop(); go(Number(event.target.value)); });
  for (const button of all("button.to")) button.addEventListener("click", () => { stop(); go(rowOf.get(Number(button.dataset.frame))); });

  const nearest = (x) => {
    let best = 0;
    data.places.forEach((at, number) => { if (Math.abs(at - x) < Math.abs(data.places[best] - x)) best = number; });
    return best;
  };
  const seek = (event) => {
    const plot = event.target.closest(".plot");
    if (!plot || (event.type === "pointermove" && !event.buttons)) return;
    const box = plot.getBoundingClientRect();
    stop();
    go(nearest((event.clientX - box.left) / box.width));
  };
  byId("lanes").addEventListener("pointerdown", seek);
  byId("lanes").addEventListener("pointermove", seek);

  for (const button of all(".modes button")) {
    button.addEventListener("click", () => {
      for (const other of all(".modes button")) other.setAttribute("aria-pressed", String(other === button));
      byId("lanes").dataset.mode = button.dataset.mode;
      shown = button.dataset.mode === "raw" ? raw : clean;
      go(row);
    });
  }

  const keys = { ArrowLeft: (many) => by(-many), ArrowRight: (many) => by(many), Home: () => by(-last), End: () => by(last),
    ",": () => toFlag(-1), ".": () => toFlag(1), " ": play };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, summary")) return;
    if (event.key === " " && event.target.closest("button, a")) return;
    if (event.target.id === "seek" && event.key !== " " && event.key !== "," && event.key !== ".") return;
    const run = keys[event.key];
    if (!run) return;
    event.preventDefault();
    run(event.shiftKey ? 10 : 1);
  });

  for (const mark of all(".ruler span")) mark.style.left = `${mark.dataset.place}%`;
  document.querySelector(".transport").hidden = false;
  byId("playhead").hidden = false;
  addEventListener("resize", place);
  const asked = Number(/^#frame=(\d+)$/.exec(location.hash)?.[1]);
  go(rowOf.get(asked) ?? 0);
})();
