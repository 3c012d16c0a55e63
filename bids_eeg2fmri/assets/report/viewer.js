"use strict";
// Slices over time: every viewer on the page shows two parts of its picture, chosen by two sliders.
document.querySelectorAll(".viewer").forEach((viewer) => {
  const film = JSON.parse(viewer.dataset.film);
  const picture = viewer.querySelector("img");
  const [time, slice] = viewer.querySelectorAll("input");
  const [mean, sd] = viewer.querySelectorAll("canvas.slice");
  const bars = viewer.querySelectorAll("canvas.bar");
  const play = viewer.querySelector("button");
  const frames = film.times_s.length;
  let timer = 0;

  function copy(canvas, x, y, width, height) {
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, x, y, width, height, 0, 0, canvas.width, canvas.height);
  }

  function show() {
    const frame = Number(time.value);
    const place = Number(slice.value);
    const named = [`${film.times_s[frame].toFixed(1)} s`, `z = ${film.slices_mm[place]} mm`];
    viewer.querySelectorAll("output").forEach((output, index) => { output.value = named[index]; });
    time.setAttribute("aria-valuetext", named[0]);
    slice.setAttribute("aria-valuetext", named[1]);
    viewer.dataset.shown = `${frame},${place}`;
    [mean, sd].forEach((canvas, quantity) => {
      copy(canvas, place * film.width, (2 * frame + quantity) * film.height, film.width, film.height);
    });
  }

  function stop() {
    window.clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }

  play.addEventListener("click", () => {
    if (timer) { stop(); return; }
    play.textContent = "Pause";
    timer = window.setInterval(() => {
      time.value = (Number(time.value) + 1) % frames;
      show();
    }, 350);
  });
  time.addEventListener("input", () => { stop(); show(); });
  slice.addEventListener("input", show);
  picture.decode().then(() => {
    const bottom = 2 * frames * film.height;
    const thick = (picture.naturalHeight - bottom) / 2;
    bars.forEach((bar, quantity) => copy(bar, 0, bottom + quantity * thick, picture.naturalWidth, thick));
    viewer.classList.add("ready");
    show();
  }, () => { viewer.classList.add("broken"); });
});
