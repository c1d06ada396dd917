import type { SavedAddressFragment } from '../../graph/operations.js';
import { AddressFields } from '../account/address-fields.jsx';
import { type AddressDraft, addressText } from '../account/address-text.js';

interface AddressChoiceProps {
  readonly addresses: readonly SavedAddressFragment[];
  /** id of an address, or null for another one */
  readonly chosen: string | null;
  onChosen(id: string | null): void;
  readonly draft: AddressDraft;
  onDraft(address: AddressDraft): void;
}

/** One of the saved addresses, or another one. */
export function AddressChoice({ addresses, chosen, onChosen, draft, onDraft }: AddressChoiceProps) {
  const option = (id: string | null, text: string) => (
    <label class="choice" key={id ?? 'another'}>
      <input type="radio" name="address" checked={chosen === id} onChange={() => onChosen(id)} />
      <span>{text}</span>
    </label>
  );
  return (
    <div class="stack">
      {addresses.length > 0 && (
        <fieldset class="choices">
          <legend class="visually-hidden">Address</legend>
          {addresses.map((address) => option(address.id, addressText(address)))}
          {option(null, 'Another address')}
        </fieldset>
      )}
      {chosen === null && <AddressFields address={draft} onAddress={onDraft} />}
    </div>
  );
}
