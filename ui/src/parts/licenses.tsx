import type { Schemas } from '../api/client';
import { count, money, moved } from '../format';
import type { Column } from './grid';
import { Becomes, LicenseStatus, Seats, Text } from './show';

type License = Schemas['License'];

/** The columns of a grid of licenses: what is there, what it is billed as, how it stands. */
export const licenseColumns: Column<License>[] = [
  {
    id: 'license',
    title: 'License',
    width: 170,
    share: 3,
    sort: 'name',
    cell: (l) => (
      <>
        <div className="name" title={l.name}>
          <Text>{l.name}</Text>
        </div>
        <div className="second">
          <Text>{l.customer.name}</Text>
        </div>
      </>
    ),
  },
  { id: 'seats', title: 'Assigned', width: 110, sort: 'purchased', cell: (l) => <Seats assigned={l.assigned} purchased={l.purchased} /> },
  {
    id: 'billed',
    title: 'Billed as',
    width: 130,
    share: 2,
    from: 'medium',
    cell: (l) =>
      l.link?.profile ? (
        <>
          <div>
            <Text>{l.link.profile.name}</Text>
          </div>
          <div className="second">
            <Text>{l.link.agreement?.name}</Text>
          </div>
        </>
      ) : (
        <div className="quiet" title={l.link?.doNotBill}>
          {l.link?.doNotBill ? <Text>{l.link.doNotBill}</Text> : '—'}
        </div>
      ),
  },
  {
    id: 'quantity',
    title: 'Quantity',
    width: 86,
    numeric: true,
    cell: (l) => (l.plan ? <Becomes from={l.plan.was} to={l.plan.seats.billed} /> : l.link?.profile ? l.billed : '—'),
  },
  {
    id: 'money',
    title: 'Per month',
    width: 104,
    numeric: true,
    from: 'narrow',
    sort: 'money',
    cell: (l) => (l.plan ? moved(l.plan.money.monthly, l.plan.money.currency) : l.monthly ? money(l.monthly.amount, l.monthly.currency) : '—'),
  },
  { id: 'unused', title: 'Unused', width: 70, numeric: true, from: 'wide', sort: 'unused', cell: (l) => (l.unused > 0 ? count(l.unused) : '—') },
  { id: 'state', title: 'Status', width: 146, from: 'narrow', sort: 'state', cell: (l) => <LicenseStatus state={l.state} /> },
];

/** The same on the page of one customer, whose name stands above. */
export const ownLicenseColumns: Column<License>[] = licenseColumns.map((c) =>
  c.id === 'license'
    ? {
        ...c,
        cell: (l) => (
          <>
            <div className="name" title={l.name}>
              <Text>{l.name}</Text>
            </div>
            <div className="second">
              <Text>{l.partNumber}</Text>
            </div>
          </>
        ),
      }
    : c,
);
