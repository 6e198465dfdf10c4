// A list of buttons made on the server: each tells which one it is.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-pick]');
  if (button) trigger('pick', {name: button.dataset.pick});
});
