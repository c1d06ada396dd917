import type { ComponentChildren } from 'preact';

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly isBusy?: boolean;
  readonly disabled?: boolean;
  readonly type?: 'button' | 'submit';
  readonly look?: 'primary' | 'plain' | 'quiet' | 'danger';
  readonly small?: boolean;
  readonly label?: string;
  onClick?(): void;
}

/** A button that shows when its action runs; it keeps the focus meanwhile. */
export function Button(props: ButtonProps) {
  const { children, isBusy = false, disabled = false, look = 'plain', small = false } = props;
  const isIdle = !isBusy && !disabled;
  return (
    <button
      type={props.type ?? 'button'}
      class={`button button-${look}${small ? ' button-small' : ''}${isBusy ? ' is-busy' : ''}`}
      aria-disabled={isIdle ? undefined : true}
      aria-busy={isBusy ? true : undefined}
      aria-label={props.label}
      onClick={(event) => {
        if (!isIdle) event.preventDefault();
        else props.onClick?.();
      }}
    >
      {isBusy && <span class="spinner" aria-hidden="true" />}
      {children}
    </button>
  );
}
