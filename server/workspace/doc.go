// Package workspace is configuration as code: the workspace file, what it means for
// what is stored, and the documents that the commands print.
//
// The way of a file is one line, and each step is a file here:
//
//	Parse (the form) -> Resolve (against Manage and Microsoft) -> Diff (against what
//	is stored) -> Apply (one Edit, in one transaction)
//
// Every fault that any of the steps can see is told in one go with its line and
// column, and with a single fault nothing is applied. Parse gives back the sound part
// of a faulty file, so that Resolve can tell its faults in the same list.
//
// What a file says and what it leaves alone: an entry of a list (a profile, a rule, a
// link) is said whole, so a key that it leaves out takes its default, a link's from
// linkDefaults. In workspace, connectwise and policy, and for the secrets of a
// connection, a key that is left out stays as it is stored. What exists beyond the
// file stays, unless it is pruned.
//
// Secrets travel in the type Secret, which no format verb and no encoder prints.
package workspace
