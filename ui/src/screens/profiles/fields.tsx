import { Radio, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { settingsQuery } from '../../api/session';
import { many, money } from '../../format';
import { ProductSelect, TypesSelect, useActive } from './choose';
import { billWords, type Draft, isAmount, type Item, type Profile, productsQuery, ten } from './data';

interface Fields {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  errors: Record<string, string>;
  /** As it is saved; undefined for a new one. */
  profile?: Profile;
  disabled: boolean;
}

/** A billing profile: its name, where it may be used, its product and its price. */
export function ProfileFields({ draft: d, set, errors, profile, disabled }: Fields) {
  const currency = useQuery(settingsQuery).data?.settings.currency ?? '';
  const active = useActive(d.types);
  const price = d.product?.price;
  return (
    <>
      <TextInput
        label="Name"
        description="By the convention: license, dash, term, such as M365 Business Premium - Annual"
        required
        maxLength={200}
        value={d.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
        error={errors.name}
        disabled={disabled}
        data-autofocus={profile ? undefined : true}
      />
      <TypesSelect
        label="Agreement types"
        description={active === undefined || d.types.length === 0 ? 'Links with this profile are on agreements of these types' : `${many(active, 'active agreement')} of ${d.types.length === 1 ? 'this type' : 'these types'}`}
        value={d.types}
        onChange={(types) => set({ types })}
        known={profile?.agreementTypes}
        error={errors.agreementTypes}
        disabled={disabled}
      />
      <ProductSelect label="Product" value={d.product} onChange={(product) => set({ product })} currency={currency} error={errors.product} disabled={disabled} />
      <Radio.Group label="Price" value={d.custom ? 'custom' : 'own'} onChange={(v) => set({ custom: v === 'custom' })}>
        <div className="stack tight" style={{ paddingTop: 4 }}>
          <Radio value="own" disabled={disabled} label={price ? `The product's price, ${money(price, currency)}` : "The product's price"} description="ConnectWise's own, as it is when a line is added. It is never pushed to a line that is there." />
          <Radio value="custom" disabled={disabled} label="A custom price" description="Goes to the lines of all links, and counts from the days that are not invoiced yet." />
        </div>
      </Radio.Group>
      {d.custom && (
        <div className="row" style={{ alignItems: 'flex-start' }}>
          <TextInput
            label="Custom price"
            inputMode="decimal"
            required
            value={d.price}
            onChange={(e) => set({ price: e.currentTarget.value })}
            error={errors.price ?? (d.price.trim() && !isAmount(d.price.trim()) ? 'An amount such as 22.50' : undefined)}
            disabled={disabled}
            w={140}
          />
          <TextInput
            label="Currency"
            placeholder="Workspace's"
            maxLength={3}
            value={d.currency}
            onChange={(e) => set({ currency: e.currentTarget.value.toUpperCase() })}
            error={errors.currency}
            disabled={disabled}
            w={110}
          />
        </div>
      )}
      <Radio.Group label="On the invoice" value={d.bill} onChange={(bill) => set({ bill: bill as Draft['bill'] })}>
        <div className="row wrap" style={{ gap: '4px 20px', paddingTop: 4 }}>
          {(Object.keys(billWords) as Draft['bill'][]).map((bill) => (
            <Radio key={bill} value={bill} label={billWords[bill]} disabled={disabled} />
          ))}
        </div>
      </Radio.Group>
      {d.product && <InvoiceLine draft={d} product={d.product} currency={currency} />}
    </>
  );
}

const sample = { none: '', name: 'Ana Ruiz, Ben Ito, and 8 more', upn: 'ana@contoso.example, ben@contoso.example, and 8 more', initials: 'AR, BI, and 8 more' } as const;

/** What ten of it look like on an invoice, with the defaults of new links. */
function InvoiceLine({ draft: d, product, currency }: { draft: Draft; product: Item; currency: string }) {
  const defaults = useQuery(settingsQuery).data?.settings.linkDefaults;
  const found = useQuery({ ...productsQuery(product.identifier), enabled: product.description === undefined });
  const text = product.description ?? found.data?.items.find((p) => p.id === product.id)?.description ?? product.identifier;
  const price = d.custom ? (isAmount(d.price.trim()) ? d.price.trim() : undefined) : product.price;
  const parts = [text, sample[defaults?.users ?? 'none'], defaults?.showUnassigned ? '3 unassigned' : ''].filter(Boolean);
  const inMoney = (amount: string) => money(amount, d.custom ? d.currency || currency : currency);
  return (
    <details>
      <summary className="quiet">The line on the invoice, for ten</summary>
      <div className="stack tight" style={{ paddingTop: 8 }}>
        <div className="invoice" dir="auto">
          {parts.join(' | ')}
        </div>
        <div className="between">
          <span className="small quiet">
            With the defaults of new links. A link can have a text of its own.
          </span>
          <span className="num">
            {d.bill === 'doNotBill' ? 'Not on the invoice' : d.bill === 'noCharge' ? '10, no charge' : price ? `10 × ${inMoney(price)} = ${inMoney(ten(price))}` : '—'}
          </span>
        </div>
      </div>
    </details>
  );
}
