import { Migration } from '@mikro-orm/migrations';

/**
 * Who receives a parcel, and the phone number for the carrier. Every user with addresses gets a default one,
 * which could be deleted or unset before.
 */
export class Migration20261128Addresses extends Migration {
  override up(): void {
    this.addSql('alter table address add recipient varchar(255), add phone varchar(20)');
    this.addSql(`/* safe: only one row of each user without a default address */
      update address set is_default = true, updated_at = now()
      where id in (
        select distinct on (user_id) id from address a
        where not exists (
          select from address d where d.user_id = a.user_id and d.is_default)
        order by user_id, updated_at desc, id desc)`);
  }
}
