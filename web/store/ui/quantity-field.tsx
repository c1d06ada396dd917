import { useEffect, useState } from 'preact/hooks';

interface QuantityFieldProps {
  /** for screen readers */
  readonly label: string;
  readonly value: number;
  /** 1 or more */
  readonly max: number;
  readonly disabled?: boolean;
  onValue(value: number): void;
}

/** A number of units, 1 to `max`, with a button for one less and one more. */
export function QuantityField({ label, value, max, disabled, onValue }: QuantityFieldProps) {
  const [text, setText] = useState(String(value));
  useEffect(() => setText(String(value)), [value]);
  const set = (next: number) => {
    const units = Math.min(Math.max(1, next), Math.max(max, value));
    setText(String(units));
    if (units !== value) onValue(units);
  };
  const typed = () => set(/^\d{1,5}$/.test(text) ? Number(text) : value);
  return (
    <fieldset class="quantity" aria-label={label} disabled={disabled}>
      <button
        type="button"
        aria-label="One less"
        disabled={value <= 1}
        onClick={() => set(value - 1)}
      >
        −
      </button>
      <input
        aria-label="Units"
        inputMode="numeric"
        autocomplete="off"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onBlur={typed}
        onKeyDown={({ key }) => key === 'Enter' && typed()}
      />
      <button
        type="button"
        aria-label="One more"
        disabled={value >= max}
        onClick={() => set(value + 1)}
      >
        +
      </button>
    </fieldset>
  );
}
