import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { CategoriesDocument, type ProductSort } from '../../graph/operations.js';
import { useQuery } from '../../session/use-query.js';
import { addressOf, currentChoice, type ListChoice, sorts } from './list-address.js';

const typingMs = 300;

/** Category, price range, stock and order of the list. */
export function Filters({ choice }: { readonly choice: ListChoice }) {
  const { route } = useLocation();
  const change = (part: Partial<ListChoice>) =>
    route(addressOf({ ...currentChoice(), ...part }), true);
  const isSearch = choice.search.trim() !== '';
  const available = (Object.entries(sorts) as [ProductSort, string][]).filter(
    ([sort]) => sort !== 'RELEVANCE' || isSearch,
  );
  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <CategoryField value={choice.categoryId} onChange={(categoryId) => change({ categoryId })} />
      <fieldset class="price-range">
        <legend>Price</legend>
        <PriceField
          label="Lowest price"
          placeholder="from"
          value={choice.minPrice}
          onChange={(minPrice) => change({ minPrice })}
        />
        <span aria-hidden="true">–</span>
        <PriceField
          label="Highest price"
          placeholder="to"
          value={choice.maxPrice}
          onChange={(maxPrice) => change({ maxPrice })}
        />
      </fieldset>
      <div class="field">
        <label for="sort">Sort by</label>
        <select
          id="sort"
          value={choice.sort}
          onChange={({ currentTarget }) => change({ sort: currentTarget.value as ProductSort })}
        >
          {available.map(([sort, name]) => (
            <option value={sort} key={sort}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <label class="checkbox">
        <input
          type="checkbox"
          checked={choice.inStock}
          onChange={({ currentTarget }) => change({ inStock: currentTarget.checked })}
        />
        In stock only
      </label>
    </form>
  );
}

interface ChoiceFieldProps {
  readonly value: string;
  onChange(value: string): void;
}

function CategoryField({ value, onChange }: ChoiceFieldProps) {
  const { data } = useQuery(CategoriesDocument, {}, { isPublic: true });
  return (
    <div class="field">
      <label for="category">Category</label>
      <select
        id="category"
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        <option value="">All categories</option>
        {data.value?.categories.map(({ id, name, children }) => [
          <option value={id} key={id} selected={id === value}>
            {name}
          </option>,
          ...children.map((child) => (
            <option value={child.id} key={child.id} selected={child.id === value}>
              – {child.name}
            </option>
          )),
        ])}
      </select>
    </div>
  );
}

interface PriceFieldProps extends ChoiceFieldProps {
  readonly label: string;
  readonly placeholder: string;
}

/** A price, which filters when nothing was typed for a moment. */
function PriceField({ label, placeholder, value, onChange }: PriceFieldProps) {
  const typed = useSignal<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      aria-label={label}
      placeholder={placeholder}
      inputMode="decimal"
      pattern="\d{1,10}([.]\d{1,2})?"
      title="A price such as 20 or 19.90"
      autocomplete="off"
      size={6}
      value={typed.value ?? value}
      onInput={({ currentTarget }) => {
        const text = currentTarget.value.trim().replace(',', '.');
        typed.value = text;
        clearTimeout(timer.current);
        timer.current = setTimeout(() => {
          typed.value = null;
          onChange(text);
        }, typingMs);
      }}
    />
  );
}
