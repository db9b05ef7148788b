/** Popovers open below the button that opens them, and inside the window. */

const MARGIN_PX = 8;

function place(popover, button) {
  const { left, bottom, top } = button.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = popover;
  const right = innerWidth - MARGIN_PX - offsetWidth;
  popover.style.left = `${Math.max(MARGIN_PX, Math.min(left, right))}px`;
  const below = bottom + 6;
  const fits = below + offsetHeight <= innerHeight - MARGIN_PX;
  popover.style.top = `${fits ? below : Math.max(MARGIN_PX, top - 6 - offsetHeight)}px`;
}

/** For each button with a popovertarget on the page. */
export function placePopovers() {
  for (const button of document.querySelectorAll('[popovertarget]')) {
    const popover = document.getElementById(button.getAttribute('popovertarget'));
    popover.addEventListener('toggle', () => {
      if (popover.matches(':popover-open')) place(popover, button);
    });
  }
}
