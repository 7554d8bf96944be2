/* A face drawn from one frame's numbers, as the camera sees it: the subject's left is on the right of the drawing. */
const drawFace = (() => {
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const make = (parent, name, css, attributes = {}) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    node.setAttribute("class", css);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    parent.append(node);
    return node;
  };

  /* side: 1 is the subject's left, which lies at positive x. */
  const brow = (v, side, name) => {
    const inner = -62 - 13 * v("BrowInnerUp") + 10 * v(`BrowDown${name}`);
    const outer = -60 - 14 * v(`BrowOuterUp${name}`) + 5 * v(`BrowDown${name}`);
    const x = 15 - 5 * v(`BrowDown${name}`);
    return `M${side * x} ${inner}Q${side * 38} ${(inner + outer) / 2 - 8} ${side * 62} ${outer}`;
  };

  const eye = (v, side, name) => {
    const shut = clamp(v(`EyeBlink${name}`), 0, 1);
    const up = (12 + 6 * v(`EyeWide${name}`)) * (1 - shut) - 5 * v(`EyeSquint${name}`) * (1 - shut) - 1;
    const down = (9 - 6 * v(`EyeSquint${name}`) - 3 * v(`CheekSquint${name}`)) * (1 - 0.6 * shut);
    const low = shut > 0.85 ? 5 : down;
    const x = [17, 38, 59].map((at) => side * at);
    const away = v(`EyeLookOut${name}`) - v(`EyeLookIn${name}`);
    return {
      lids: `M${x[0]} -30Q${x[1]} ${-30 - 2 * Math.max(up, -low)} ${x[2]} -30Q${x[1]} ${-30 + 2 * low} ${x[0]} -30Z`,
      iris: [x[1] + side * 10 * away, -30 + 6 * (v(`EyeLookDown${name}`) - v(`EyeLookUp${name}`))],
    };
  };

  const mouth = (v) => {
    const shift = 12 * (v("MouthLeft") - v("MouthRight")) + 8 * (v("JawLeft") - v("JawRight"));
    const round = 13 * v("MouthPucker") + 9 * v("MouthFunnel");
    const corner = (name) => [
      29 + 5 * v(`MouthSmile${name}`) + 8 * v(`MouthStretch${name}`) + 3 * v(`MouthDimple${name}`) - round - 5 * v("JawOpen"),
      40 - 15 * v(`MouthSmile${name}`) + 13 * v(`MouthFrown${name}`) + 4 * v(`MouthStretch${name}`),
    ];
    const [lx, ly] = corner("Left"), [rx, ry] = corner("Right");
    const raised = (v("MouthUpperUpLeft") + v("MouthUpperUpRight")) / 2;
    const lowered = (v("MouthLowerDownLeft") + v("MouthLowerDownRight")) / 2;
    const open = clamp(v("JawOpen") - v("MouthClose"), 0, 1.2);
    const funnel = v("MouthFunnel");
    const pushed = 4 * v("MouthShrugLower") + 3 * v("MouthShrugUpper");
    const middle = 40 + 10 * v("JawOpen") * (1 - clamp(v("MouthClose"), 0, 1)) * 0.4 - pushed;
    const inTop = middle - 5 * raised - 4 * funnel - 2 * open;
    const inLow = middle + 30 * open + 6 * lowered + 4 * funnel;
    const press = 1 - 0.35 * (v("MouthPressLeft") + v("MouthPressRight")) / 2;
    const top = inTop - (6 + 2 * v("MouthPucker")) * press * (1 - 0.9 * v("MouthRollUpper"));
    const low = inLow + (8 + 2 * v("MouthPucker")) * press * (1 - 0.9 * v("MouthRollLower"));
    /* A cubic that reaches y in its middle: its two control points lie a third of the way further out. */
    const bow = (y, from, to) => {
      const far = (4 * y - (ly + ry) / 2) / 3;
      return `C${shift + 0.66 * from} ${far} ${shift + 0.66 * to} ${far}`;
    };
    const ring = (upper, lower, inset) => `M${shift - rx + inset} ${ry}${bow(upper, -rx, lx)} ${shift + lx - inset} ${ly}` +
      `${bow(lower, lx, -rx)} ${shift - rx + inset} ${ry}Z`;
    return {
      lips: ring(top, low, 0),
      gap: ring(inTop, inLow, 3),
      chin: 96 + 24 * clamp(v("JawOpen"), 0, 1.2),
      jaw: 9 * (v("JawLeft") - v("JawRight")),
      tongue: [shift, (inLow + middle) / 2 + 4, v("TongueOut")],
    };
  };

  const outline = (v, chin, jaw) => {
    const puff = 74 + 12 * v("CheekPuff");
    return `M0 -108C46 -108 78 -74 78 -22C78 10 ${puff} 40 ${50 + jaw} 68C${40 + jaw} ${chin - 16} ${24 + jaw} ${chin} ${jaw} ${chin}` +
      `C${-24 + jaw} ${chin} ${-40 + jaw} ${chin - 16} ${-50 + jaw} 68C${-puff} 40 -78 10 -78 -22C-78 -74 -46 -108 0 -108Z`;
  };

  let drawings = 0; /* names of clips are the document's, and a page may draw many faces */
  return (svg, value) => {
    svg.replaceChildren();
    const number = svg.dataset.drawing ?? (svg.dataset.drawing = String((drawings += 1)));
    if (value === null) {
      make(svg, "text", "", { x: 0, y: 4 }).textContent = "no result";
      return;
    }
    const v = (name) => value(name);
    const turn = (v("HeadRoll") * 180) / Math.PI;
    const head = make(svg, "g", "", {
      transform: `translate(${-16 * Math.sin(v("HeadYaw"))} ${10 * Math.sin(v("HeadPitch"))}) rotate(${turn}) scale(.86)`,
    });
    const parts = mouth(v);
    make(head, "path", "skin", { d: outline(v, parts.chin, parts.jaw) });
    const front = make(head, "g", "", {
      transform: `translate(${-34 * Math.sin(v("HeadYaw"))} ${22 * Math.sin(v("HeadPitch"))})`,
    });
    for (const [side, name] of [[1, "Left"], [-1, "Right"]]) {
      const lids = eye(v, side, name);
      const id = `lids-${name}-${number}`;
      const clip = make(front, "clipPath", "", { id });
      make(clip, "path", "", { d: lids.lids });
      make(front, "path", "white", { d: lids.lids });
      make(front, "circle", "iris", { cx: lids.iris[0], cy: lids.iris[1], r: 8, "clip-path": `url(#${id})` });
      make(front, "path", "brow", { d: brow(v, side, name) });
      const sneer = 6 * v(`NoseSneer${name}`);
      make(front, "path", "stroke", { d: `M${side * 5} -16Q${side * 7} 4 ${side * 15} ${10 - sneer}Q${side * 11} ${18 - sneer} ${side * 3} 17` });
      const fold = v(`CheekSquint${name}`);
      if (fold > 0.15) make(front, "path", "stroke", { d: `M${side * 24} -10Q${side * 40} ${-4 - 4 * fold} ${side * 56} -12`, opacity: clamp(fold, 0, 1) });
    }
    make(front, "path", "lips", { d: parts.lips });
    make(front, "path", "gap", { d: parts.gap });
    if (parts.tongue[2] > 0.1) make(front, "ellipse", "tongue", { cx: parts.tongue[0], cy: parts.tongue[1] + 8 * parts.tongue[2], rx: 12, ry: 6 + 10 * parts.tongue[2] });
  };
})();
