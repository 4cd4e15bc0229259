// Package scenario describes a managed service provider's world in one text file and builds both simulators from it: companies, agreements, products
// and additions in ConnectWise, tenants, licenses, subscriptions and users at Microsoft, and what happens to them day by day.
//
// A scenario is a txtar archive. Its comment says what it is about; its files are read in this order:
//
//	env        NAME value                     what $NAME stands for below, and what the workspace file's ${NAME} are to be
//	skus       PART GUID [applies=Company]    the ids of the part numbers that are used below
//	manage     site, today, type, product, company, agreement, addition
//	microsoft  partner, app, account, tenant, sku, sub, user
//	days       DATE verb ...
//
// A line is one statement: a verb, its words, then options as name=value. Words with blanks stand in double quotes, with Go's escapes. A # that begins
// a word begins a comment. An agreement belongs to the company above it, an addition to the agreement, a sku to the tenant, a sub to the sku.
// Switches are on or off. manage.go, microsoft.go and days.go list the statements with their options.
//
// Load checks everything and tells all faults with their lines. Build makes the simulators as they are on the first day; Advance moves both through
// the days, with their changes, and makes the invoices that fall due. Changes at Microsoft are part of its histories from the start, so its
// day can also be moved alone.
//
// Open gives the scenarios that come with the package, with their workspace files; Demo is the one of the demonstration. Many makes large worlds for benchmarks.
package scenario
