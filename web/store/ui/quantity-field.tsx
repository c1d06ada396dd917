import { useState } from 'preact/hooks';

interface QuantityFieldProps {
  /** for screen readers */
  readonly label: string;
  readonly value: number;
  /** the button for one more stops here; a typed number may be higher, and is refused with its reason */
  readonly max: number;
  readonly isBusy?: boolean;
  onValue(value: number): void;
}

const unitsMax = 10_000;

/** A number of units, 1 to 10,000, with a button for one fewer and one more. */
export function QuantityField({ label, value, max, isBusy = false, onValue }: QuantityFieldProps) {
  const [typed, setTyped] = useState<string | null>(null);

  function finish(): void {
    const units = /^\d{1,5}$/.test(typed ?? '') ? Number(typed) : value;
    setTyped(null);
    if (units !== value && units >= 1 && units <= unitsMax && !isBusy) onValue(units);
  }
  // With `disabled` a button would lose the focus while it is busy.
  const step = (name: string, sign: string, units: number, isPossible: boolean) => (
    <button
      type="button"
      aria-label={name}
      aria-disabled={isPossible && !isBusy ? undefined : true}
      onClick={() => isPossible && !isBusy && onValue(units)}
    >
      {sign}
    </button>
  );
  return (
    <fieldset class="quantity" aria-label={label} aria-busy={isBusy}>
      {step('One fewer', '−', value - 1, value > 1)}
      <input
        aria-label="Units"
        inputMode="numeric"
        autocomplete="off"
        value={typed ?? String(value)}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        onBlur={finish}
        onKeyDown={({ key }) => key === 'Enter' && finish()}
      />
      {step('One more', '+', value + 1, value < max)}
    </fieldset>
  );
}
