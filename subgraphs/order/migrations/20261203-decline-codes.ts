import { Migration } from '@mikro-orm/migrations';

/** A decline has a code of ours, beside the provider’s words; a payment may name an unknown method. */
export class Migration20261203DeclineCodes extends Migration {
  override up(): void {
    this.addSql(`alter table payment add column decline_code text`);
    this.addSql(`alter table payment
      /* safe: no release has been made, so no earlier version runs beside this one */
      drop constraint payment_failure_known,
      add constraint payment_failure_known check (failure in
        ('DECLINED', 'NOT_CHARGED', 'ORDER_ENDED', 'CAPTURE_REFUSED', 'LAPSED', 'UNKNOWN_METHOD')),
      add constraint payment_decline_code_known check (decline_code in
        ('GENERIC', 'INSUFFICIENT_FUNDS', 'CARD_EXPIRED', 'INCORRECT_DETAILS',
         'AUTHENTICATION_FAILED', 'NOT_SUPPORTED', 'LIMIT_EXCEEDED'))`);
  }
}
