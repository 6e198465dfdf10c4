// Swatches of suggested places: a click paints a dot of that colour there.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-color]');
  if (!button) return;
  const detail = {row: Number(button.dataset.row), col: Number(button.dataset.col), color: button.dataset.color};
  document.dispatchEvent(new CustomEvent('colorize-hint', {detail}));
});
