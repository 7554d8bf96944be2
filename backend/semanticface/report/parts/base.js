"use strict";
/* What every page does: a theme that can be chosen. It stays for this page only; nothing is stored. */
(() => {
  const button = document.getElementById("theme");
  const themes = ["auto", "light", "dark"];
  let chosen = 0;
  button.hidden = false;
  button.addEventListener("click", () => {
    chosen = (chosen + 1) % themes.length;
    const name = themes[chosen];
    if (name === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", name);
    button.querySelector("span").textContent = name;
  });
})();
