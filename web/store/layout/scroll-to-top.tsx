import { useLayoutEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';

let isReturn = false;
window.addEventListener('popstate', () => {
  isReturn = true;
});

/** Begins another page at its top. Filters and variants change the address too, and "back" returns to a place. */
export function ScrollToTop() {
  const { url, path } = useLocation();
  const shown = useRef(path);
  useLayoutEffect(() => {
    if (path !== shown.current && !isReturn) window.scrollTo(0, 0);
    shown.current = path;
    isReturn = false;
  }, [url]);
  return null;
}
