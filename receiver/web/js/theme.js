// The one classic script: it runs before the first paint, so that a chosen theme does not flash in
// as the other one. Modules run too late for that.
(() => {
  try {
    const theme = localStorage.getItem('bellbuoy.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's theme then stands.
  }
})();
