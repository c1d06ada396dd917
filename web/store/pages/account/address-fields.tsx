import { Field } from '../../ui/field.jsx';
import type { AddressDraft } from './address-text.js';

interface AddressFieldsProps {
  readonly address: AddressDraft;
  onAddress(address: AddressDraft): void;
}

/** The fields of an address, with what browsers know filled in. */
export function AddressFields({ address, onAddress }: AddressFieldsProps) {
  const field = (name: keyof AddressDraft) => ({
    value: address[name],
    onValue: (value: string) => onAddress({ ...address, [name]: value }),
  });
  return (
    <div class="address-fields">
      <Field
        label="Recipient"
        required
        maxLength={255}
        autocomplete="name"
        {...field('recipient')}
      />
      <Field
        label="Street and number"
        required
        maxLength={255}
        autocomplete="street-address"
        {...field('street')}
      />
      <div class="field-row">
        <Field
          label="Postal code"
          required
          maxLength={20}
          autocomplete="postal-code"
          {...field('zip')}
        />
        <Field
          label="City"
          required
          maxLength={100}
          autocomplete="address-level2"
          {...field('city')}
        />
      </div>
      <div class="field-row">
        <Field label="State" maxLength={100} autocomplete="address-level1" {...field('state')} />
        <Field
          label="Country"
          required
          maxLength={100}
          autocomplete="country-name"
          {...field('country')}
        />
      </div>
      <Field
        label="Phone"
        type="tel"
        autocomplete="tel"
        hint="For the carrier, with country code, such as +1 202 555 0143."
        {...field('phone')}
      />
    </div>
  );
}
