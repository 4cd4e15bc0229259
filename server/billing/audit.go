package billing

import "time"

// Actor is who did something, and from where.
type Actor struct {
	Kind    string // user, token, member, terminal or trueup (the product itself)
	User    UserID // 0 where none is known
	Name    string // as it was then
	Session SessionID
	Token   TokenID
	Member  string // of Manage
	Address string // of the network; "" for the terminal and the product
	Request string // id that joins it to the log
}

// AuditEntry is one thing that somebody did. It is written in the transaction of what it
// says, and never changed or deleted.
type AuditEntry struct {
	ID        int64
	Workspace WorkspaceID
	At        time.Time // by the database's clock
	Actor     Actor
	Action    string     // a code such as profile_retired; letters, digits and underscores
	Text      string     // what was done, one plain sentence without the actor
	Customer  CustomerID // whom it is about; 0 for none
	// Subject is what it was done to: a kind such as profile, its id as text, and its
	// name as it was then.
	SubjectKind, SubjectID, SubjectName string
	// Before and After hold what changed, by field; nil where there was nothing before
	// or is nothing after. Secrets do not belong into them; fields that are named like
	// one are kept as "set" or "not set".
	Before, After map[string]any
}
