import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { addressOf, currentChoice, defaultSort } from './list-address.js';

const typingMs = 180;

/** The search, which finds as one types. */
export function SearchField() {
  const { path, query, route } = useLocation();
  const inList = path === '/';
  const text = useSignal(inList ? (query.q ?? '') : '');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const shown = inList ? (query.q ?? '') : '';

  // The address changes without typing when one goes back, or chooses all products.
  useEffect(() => {
    if (document.activeElement?.id !== 'search' || !inList) text.value = shown;
  }, [shown, inList]);
  // A visitor who has gone elsewhere is not pulled back.
  useEffect(() => () => clearTimeout(timer.current), [path]);

  function search(now: string): void {
    clearTimeout(timer.current);
    const choice = currentChoice();
    // A chosen order stays; that of the former search by default becomes that of the new one.
    const isDefault = choice.sort === defaultSort(choice.search);
    const sort = isDefault ? defaultSort(now) : choice.sort;
    const found = addressOf({ ...choice, search: now, sort });
    // Each letter in the history would make "back" useless.
    route(found, window.location.pathname === '/');
  }

  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          search(text.value);
        }}
      >
        <label class="visually-hidden" for="search">
          Search products
        </label>
        <svg class="search-icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
          <circle cx="8.5" cy="8.5" r="5.5" />
          <path d="M13 13l4.5 4.5" />
        </svg>
        <input
          id="search"
          type="search"
          placeholder="Search products"
          autocomplete="off"
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
            clearTimeout(timer.current);
            timer.current = setTimeout(() => search(text.value), typingMs);
          }}
        />
      </form>
    </search>
  );
}
