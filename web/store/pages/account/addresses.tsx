import { useSignal } from '@preact/signals';
import { useAction } from '../../actions/use-action.js';
import {
  AddAddressDocument,
  DeleteAddressDocument,
  type SavedAddressFragment,
  UpdateAddressDocument,
} from '../../graph/operations.js';
import { request } from '../../session/request.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { AddressFields } from './address-fields.jsx';
import { type AddressDraft, addressText, draftOf, emptyAddress } from './address-text.js';

interface AddressesProps {
  readonly addresses: readonly SavedAddressFragment[];
  onChange(): Promise<void>;
}

/** The saved addresses: one is edited at a time. */
export function Addresses({ addresses, onChange }: AddressesProps) {
  const edited = useSignal<SavedAddressFragment | 'new' | null>(null);
  const done = async () => {
    await onChange();
    edited.value = null;
  };
  return (
    <section class="panel stack" aria-labelledby="addresses">
      <h2 id="addresses">Addresses</h2>
      {addresses.length === 0 && <p class="faint">None yet. A checkout can use saved ones.</p>}
      <ul class="entries">
        {addresses.map((address) => (
          <AddressEntry
            address={address}
            key={address.id}
            onChange={onChange}
            onEdit={() => {
              edited.value = address;
            }}
          />
        ))}
      </ul>
      {edited.value ? (
        <AddressForm
          key={edited.value === 'new' ? 'new' : edited.value.id}
          address={edited.value === 'new' ? null : edited.value}
          onDone={done}
          onCancel={() => {
            edited.value = null;
          }}
        />
      ) : (
        <div>
          <Button
            onClick={() => {
              edited.value = 'new';
            }}
          >
            Add an address
          </Button>
        </div>
      )}
    </section>
  );
}

interface AddressEntryProps {
  readonly address: SavedAddressFragment;
  onEdit(): void;
  onChange(): Promise<void>;
}

function AddressEntry({ address, onEdit, onChange }: AddressEntryProps) {
  const { id, isDefault } = address;
  const text = addressText(address);
  const remove = useAction('deleteAddress', async (input: { id: string }, key) => {
    return (await request(DeleteAddressDocument, { ...input, idempotencyKey: key })).deleteAddress;
  });
  const prefer = useAction('preferAddress', async (input: { id: string; isDefault: boolean }) => {
    return (await request(UpdateAddressDocument, { input })).updateAddress;
  });
  return (
    <li>
      <p>
        {text} {isDefault && <span class="badge badge-muted">Default</span>}
      </p>
      <div class="row">
        <Button small label={`Edit ${text}`} onClick={onEdit}>
          Edit
        </Button>
        {!isDefault && (
          <Button
            small
            label={`Make ${text} the default`}
            isBusy={prefer.isBusy.value}
            onClick={async () => {
              if (await prefer.run({ id, isDefault: true })) await onChange();
            }}
          >
            Make default
          </Button>
        )}
        <Button
          small
          look="quiet"
          label={`Delete ${text}`}
          isBusy={remove.isBusy.value}
          onClick={async () => {
            if (await remove.run({ id })) await onChange();
          }}
        >
          Delete
        </Button>
      </div>
      <ErrorNotice error={remove.error.value ?? prefer.error.value} />
    </li>
  );
}

interface AddressFormProps {
  /** null: a new one */
  readonly address: SavedAddressFragment | null;
  onDone(): Promise<void>;
  onCancel(): void;
}

function AddressForm({ address, onDone, onCancel }: AddressFormProps) {
  const draft = useSignal(address ? draftOf(address) : emptyAddress);
  const save = useAction('saveAddress', async (input: AddressInput, key) => {
    const { id, ...fields } = input;
    if (id)
      return (await request(UpdateAddressDocument, { input: { id, ...fields } })).updateAddress;
    const variables = { input: { ...fields, idempotencyKey: key } };
    return (await request(AddAddressDocument, variables)).addAddress;
  });
  return (
    <form
      class="stack"
      onSubmit={async (event) => {
        event.preventDefault();
        if (await save.run({ id: address?.id ?? null, ...withoutBlank(draft.value) }))
          await onDone();
      }}
    >
      <AddressFields
        address={draft.value}
        onAddress={(changed) => {
          draft.value = changed;
        }}
      />
      <ErrorNotice error={save.error.value} />
      <div class="row">
        <Button type="submit" look="primary" isBusy={save.isBusy.value}>
          Save the address
        </Button>
        <Button look="quiet" onClick={onCancel}>
          Discard
        </Button>
      </div>
    </form>
  );
}

type AddressInput = { readonly id: string | null } & Record<keyof AddressDraft, string | null>;

/** null clears a field. */
function withoutBlank(draft: AddressDraft): Record<keyof AddressDraft, string | null> {
  const entries = Object.entries(draft).map(([name, value]) => [name, value.trim() ? value : null]);
  return Object.fromEntries(entries) as Record<keyof AddressDraft, string | null>;
}
