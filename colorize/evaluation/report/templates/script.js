(() => {
  for (const slider of document.querySelectorAll(".slider")) {
    const range = slider.querySelector("input");
    const move = () => slider.style.setProperty("--at", range.value + "%");
    range.addEventListener("input", move);
    const tag = document.createElement("span");
    tag.className = "tag left";
    tag.setAttribute("aria-hidden", "true");
    tag.textContent = slider.dataset.label || "";
    slider.append(tag);
    move();
  }
  for (const radio of document.querySelectorAll(".choices input")) {
    radio.addEventListener("change", () => {
      const slider = radio.closest("figure").querySelector(".slider");
      slider.dataset.under = radio.value;
      slider.querySelector(".tag.left").textContent = radio.dataset.name;
    });
  }
  const toggle = document.querySelector("#differences");
  if (toggle) toggle.addEventListener("click", () => {
    const on = document.body.classList.toggle("differences");
    toggle.setAttribute("aria-pressed", on);
  });
  for (const pair of document.querySelectorAll("details.pair")) {
    const entry = pair.closest(".entry");
    const pictures = [...entry.querySelectorAll(".strip figure")];
    const [left, right] = pair.querySelectorAll("select");
    const [over, under] = pair.querySelectorAll(".slider img");
    const show = () => {
      const [a, b] = [pictures[left.selectedIndex], pictures[right.selectedIndex]];
      under.src = a.querySelector("img").src;
      over.src = b.querySelector("img").src;
      pair.querySelector(".tag.left").textContent = left.value;
      pair.querySelector(".tag.right").textContent = right.value;
    };
    for (const select of [left, right]) {
      for (const picture of pictures) select.add(new Option(picture.dataset.name));
      select.addEventListener("change", show);
    }
    right.selectedIndex = pictures.length - 1;
    pair.addEventListener("toggle", show, { once: true });
  }
})();
