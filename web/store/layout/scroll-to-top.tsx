import { useLayoutEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';

// The browser would restore the place before the page has its height.
history.scrollRestoration = 'manual';

/** Address → where the visitor was on it. */
const places = new Map<string, number>();
const placesMax = 100;
let isReturn = false;
window.addEventListener('popstate', () => {
  isReturn = true;
});

/** Begins another page at its top, and returns to the place where one was on the way back. */
export function ScrollToTop() {
  const { url, path } = useLocation();
  const shown = useRef({ url, path });
  useLayoutEffect(() => {
    const note = () => {
      if (places.size >= placesMax) places.clear();
      places.set(url, window.scrollY);
    };
    window.addEventListener('scroll', note, { passive: true });
    return () => window.removeEventListener('scroll', note);
  }, [url]);
  useLayoutEffect(() => {
    const before = shown.current;
    shown.current = { url, path };
    const place = isReturn ? (places.get(url) ?? 0) : 0;
    isReturn = false;
    // Filters and variants change the address too.
    if (before.path !== path) requestAnimationFrame(() => window.scrollTo(0, place));
  }, [url]);
  return null;
}
