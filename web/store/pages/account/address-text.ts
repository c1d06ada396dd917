import type { SavedAddressFragment } from '../../graph/operations.js';

/** An address as it is typed; '' for what is left out. */
export interface AddressDraft {
  readonly recipient: string;
  readonly phone: string;
  readonly street: string;
  readonly zip: string;
  readonly city: string;
  readonly state: string;
  readonly country: string;
}

export const emptyAddress: AddressDraft = {
  recipient: '',
  phone: '',
  street: '',
  zip: '',
  city: '',
  state: '',
  country: '',
};

export const draftOf = (saved: SavedAddressFragment): AddressDraft => ({
  recipient: saved.recipient ?? '',
  phone: saved.phone ?? '',
  street: saved.street ?? '',
  zip: saved.zip ?? '',
  city: saved.city ?? '',
  state: saved.state ?? '',
  country: saved.country ?? '',
});

/** The draft as the input of an order: what is blank is left out. */
export function shippingAddressOf(draft: AddressDraft) {
  const { phone, state, ...required } = draft;
  return {
    ...required,
    ...(phone.trim() && { phone }),
    ...(state.trim() && { state }),
  };
}

interface WrittenAddress {
  readonly recipient: string | null;
  readonly street: string | null;
  readonly zip: string | null;
  readonly city: string | null;
  readonly state: string | null;
  readonly country: string | null;
}

/** "Ana Customer, 1 Main St, 12345 Springfield, US" */
export function addressText(address: WrittenAddress): string {
  const { recipient, street, zip, city, state, country } = address;
  const place = [zip, city].filter(Boolean).join(' ');
  return [recipient, street, place, state, country].filter(Boolean).join(', ');
}

/** Whether an order can be shipped to it. */
export const isComplete = ({ recipient, street, zip, city, country }: SavedAddressFragment) =>
  [recipient, street, zip, city, country].every(Boolean);
