import { Migration } from '@mikro-orm/migrations';
import { dangersOf } from './migration-rules.js';

function migrationOf(statements: string[], transactional = true) {
  return new (class extends Migration {
    override isTransactional = () => transactional;
    override up(): void {
      for (const statement of statements) this.addSql(statement);
    }
  })(undefined as never, undefined as never);
}
const dangers = (...statements: string[]) => dangersOf(migrationOf(statements));

describe('what a migration must not do while the old version runs', () => {
  it.each([
    ['drop table cart'],
    ['alter table cart drop column counted'],
    ['alter table cart drop counted'],
    ['alter table cart rename column counted to counts'],
    ['alter table cart rename to basket'],
    ['truncate cart'],
    ['alter table offer alter column name type text'],
    ['alter table offer alter name set not null'],
    ['create index cart_new on cart (id)'],
    ['create unique index cart_new\n on cart (id)'],
    ['drop index cart_new'],
    ['alter table cart add constraint cart_x check (units > 0)'],
    ['alter table cart add constraint cart_x foreign key (id) references offer (id)'],
    ['alter table cart add constraint cart_x unique (id)'],
    ['alter table cart add column note text not null'],
    ['alter table cart add low boolean generated always as (units < 1) stored'],
    ['alter table cart add other uuid default gen_random_uuid()'],
    ['update cart set units = 0'],
    ['DELETE FROM cart WHERE units = 0'],
  ])('%s', (statement) => {
    expect(dangers(statement)).toHaveLength(1);
  });

  it.each([
    ['alter table cart add note text'],
    ['alter table cart add column units int not null default 0'],
    ['alter table cart add units int default 0 not null'],
    ['alter table cart add constraint cart_x check (units > 0) not valid'],
    ['alter table cart validate constraint cart_x'],
    ['alter table cart add constraint cart_x unique using index cart_new'],
    ['alter table cart drop constraint cart_x'],
    ['alter table cart alter note drop not null'],
    [`insert into note (text) values ('rename; drop table cart')`],
    ['drop table cart /* safe: no version since the last but one reads it */'],
  ])('may: %s', (statement) => {
    expect(dangers(statement)).toEqual([]);
  });

  it('may change a table that the same migration creates', () => {
    const made = ['create table cart (id uuid not null)', 'create index cart_id on cart (id)'];
    expect(dangers(...made, 'alter table cart add constraint c check (id is not null)')).toEqual(
      [],
    );
  });

  it('must build an index concurrently outside of a transaction, and alone', () => {
    const statement = 'create index concurrently cart_new on cart (id)';
    expect(dangers(statement)).toEqual([expect.stringContaining('isTransactional')]);
    expect(dangersOf(migrationOf([statement], false))).toEqual([]);
    const more = migrationOf([statement, 'alter table cart add note text'], false);
    expect(dangersOf(more)).toEqual([expect.stringContaining('without limit')]);
  });
});
