import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface PageProps {
  readonly title: string;
  /** shown beside the title */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A page with its heading, which gets the focus so that a screen reader begins there. */
export function Page({ title, aside, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Holdfast`;
  }, [title]);
  useEffect(() => {
    // Not when the site is opened: then the browser begins at the top. Nor from someone who types, as in the search.
    const isTyping = document.activeElement instanceof HTMLInputElement;
    if (hasNavigated && !isTyping) heading.current?.focus({ preventScroll: true });
    hasNavigated = true;
  }, []);
  return (
    <div class="stack page">
      <header class="page-header">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {aside}
      </header>
      {children}
    </div>
  );
}

let hasNavigated = false;

interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** What a page shows when it has nothing to list. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div class="empty">
      <svg viewBox="0 0 64 64" width="64" height="64" aria-hidden="true">
        <path d="M10 24h44l-4 28a4 4 0 0 1-4 3H18a4 4 0 0 1-4-3z" class="empty-box" />
        <path d="M22 24c0-18 20-18 20 0" class="empty-handle" />
      </svg>
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}
