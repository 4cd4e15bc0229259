import type { ComponentType } from 'react';
import type { Role } from './api/session';

/**
 * The route table: a screen is a folder of src/screens with a default export, and a line
 * here. A screen without a place in the navigation is reached from another one.
 */
export interface Screen {
  path: string;
  title: string;
  /** Who may open it; what they may do there is the screen's to ask. */
  least: Role;
  /** Where it stands in the navigation, and the letter that opens it after g. */
  nav?: { group: 'daily' | 'settings'; key: string };
  load: () => Promise<{ default: ComponentType }>;
}

export const screens: Screen[] = [
  { path: '/', title: 'Overview', least: 'viewer', nav: { group: 'daily', key: 'o' }, load: () => import('./screens/overview') },
  { path: '/approvals', title: 'Approvals', least: 'viewer', nav: { group: 'daily', key: 'a' }, load: () => import('./screens/approvals') },
  { path: '/links', title: 'License links', least: 'viewer', nav: { group: 'daily', key: 'l' }, load: () => import('./screens/links') },
  { path: '/customers', title: 'Customers', least: 'viewer', nav: { group: 'daily', key: 'c' }, load: () => import('./screens/customers') },
  { path: '/customers/$customer', title: 'Customer', least: 'viewer', load: () => import('./screens/customers/customer') },
  { path: '/history', title: 'Sync history', least: 'viewer', nav: { group: 'daily', key: 'h' }, load: () => import('./screens/history') },
  { path: '/history/$run', title: 'Sync', least: 'viewer', load: () => import('./screens/history/run') },
  { path: '/connections', title: 'Connections', least: 'viewer', nav: { group: 'settings', key: 'n' }, load: () => import('./screens/connections') },
  { path: '/profiles', title: 'Billing profiles', least: 'viewer', nav: { group: 'settings', key: 'p' }, load: () => import('./screens/profiles') },
  { path: '/notifications', title: 'Notifications', least: 'viewer', nav: { group: 'settings', key: 'm' }, load: () => import('./screens/notifications') },
  { path: '/cutover', title: 'Cut-over', least: 'viewer', nav: { group: 'settings', key: 'v' }, load: () => import('./screens/cutover') },
  { path: '/settings', title: 'Settings', least: 'viewer', nav: { group: 'settings', key: 's' }, load: () => import('./screens/settings') },
  { path: '/setup', title: 'Set-up', least: 'admin', load: () => import('./screens/setup') },
  { path: '/users', title: 'Users and security', least: 'admin', nav: { group: 'settings', key: 'u' }, load: () => import('./screens/users') },
  { path: '/audit', title: 'Audit log', least: 'admin', nav: { group: 'settings', key: 't' }, load: () => import('./screens/audit') },
];

/** Whether there is a screen at a path; a link to one that isn't there is not drawn. */
export const hasScreen = (path: string) => screens.some((s) => s.path === path);
