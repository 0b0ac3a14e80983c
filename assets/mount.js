// What Streamlit calls on every change of a component's data: one page object for each place on the screen.

/** The default export of a module whose page is an object of `Page`(root, data) with refreshTheme() and close(). */
export function mounting(Page) {
  const instances = new WeakMap();
  return ({ parentElement, data }) => {
    const root = parentElement.querySelector(".samviz");
    let page = instances.get(root);
    if (page) page.refreshTheme();
    else {
      page = new Page(root, data);
      instances.set(root, page);
    }
    return () => {
      page.close();
      instances.delete(root);
    };
  };
}
