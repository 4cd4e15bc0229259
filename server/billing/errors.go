package billing

import "errors"

// What whoever keeps the product's records says of them, by errors.Is.
var (
	// ErrNotFound: there is no such record in this workspace.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the record would break what is guarded, such as a second connection of
	// a name, or a tenant that has a customer already.
	ErrConflict = errors.New("conflict")
	// ErrStale: the facts moved since they were read; the lease went to another process,
	// a token was rotated meanwhile, the plan shown is no longer the plan.
	ErrStale = errors.New("stale")
	// ErrInvalid: what was given, or what is stored, can't be.
	ErrInvalid = errors.New("invalid")
	// ErrLastAdmin: a workspace would be left without an administrator.
	ErrLastAdmin = errors.New("the last administrator")
)
