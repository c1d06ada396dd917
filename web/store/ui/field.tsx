import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  onValue(value: string): void;
  readonly hint?: string;
  readonly type?: 'text' | 'email' | 'password' | 'tel';
  readonly required?: boolean;
  readonly autocomplete?: string;
  readonly inputMode?: 'decimal' | 'numeric' | 'tel' | 'email';
  readonly maxLength?: number;
  readonly minLength?: number;
  /** a regular expression that the whole value must match */
  readonly pattern?: string;
}

/** A labelled text field. */
export function Field({ label, hint, value, onValue, required = false, ...more }: FieldProps) {
  const id = useId();
  const { type = 'text', autocomplete, inputMode, maxLength, minLength, pattern } = more;
  return (
    <div class="field">
      <label for={id}>
        {label}
        {!required && <span class="faint"> (optional)</span>}
      </label>
      <input
        id={id}
        // One of four: the types of Preact know each alone.
        type={type as 'text'}
        value={value}
        required={required}
        autocomplete={autocomplete}
        inputMode={inputMode}
        maxLength={maxLength}
        minLength={minLength}
        pattern={pattern}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onInput={({ currentTarget }) => onValue(currentTarget.value)}
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface TextFieldProps extends Omit<FieldProps, 'value' | 'onValue'> {
  readonly text: Signal<string>;
}

/** A text field for a signal. */
export function TextField({ text, ...field }: TextFieldProps) {
  return (
    <Field
      {...field}
      value={text.value}
      onValue={(value) => {
        text.value = value;
      }}
    />
  );
}
