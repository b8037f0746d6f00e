// Whatever can be moved sideways can be reached with the keyboard, too.
const reachable = () => {
  for (const box of document.querySelectorAll("article .picture, article .table-wrapper, article pre, article .math")) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else if (box.tabIndex === 0) box.removeAttribute("tabindex");
  }
};
window.addEventListener("load", reachable);
window.addEventListener("resize", reachable);
