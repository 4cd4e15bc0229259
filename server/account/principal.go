package account

import (
	"fmt"
	"slices"

	"trueup/server/billing"
)

// Role is what a user may do in a workspace. Each role may do all that those before it
// may, so roles are compared with >= and with At.
type Role int

// The roles, least first. The zero Role is nobody's and may do nothing.
const (
	NoRole     Role = iota
	Viewer          // look
	Technician      // link, sync now
	Billing         // approve, profiles, policy
	Admin           // connections, users, everything
)

// roleWords are the text forms by role.
func roleWords() []string { return []string{"", "viewer", "technician", "billing", "admin"} }

// ParseRole reads viewer, technician, billing or admin; anything else is an error.
func ParseRole(text string) (Role, error) {
	if at := slices.Index(roleWords(), text); at > 0 {
		return Role(at), nil
	}
	return NoRole, fmt.Errorf("role %q is none of viewer, technician, billing and admin", text)
}

// String is the text form; "" for no role.
func (r Role) String() string {
	if r < NoRole || r > Admin {
		return ""
	}
	return roleWords()[r]
}

// MarshalText is the text form; for JSON.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is ParseRole; for JSON.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}

// At says whether the role may do what least may.
func (r Role) At(least Role) bool { return least > NoRole && r >= least && r <= Admin }

// UserID is a person, in all workspaces.
type UserID int64

// SessionID names a session in lists and in the audit. It is no secret: the token that
// proves the session is kept as a hash only.
type SessionID int64

// TokenID names an API token in lists and in the audit; it is no secret either.
type TokenID int64

// Kind says how somebody proved who they are.
type Kind string

// The kinds of a principal.
const (
	BySession Kind = "session" // a browser's cookie, after every factor
	ByToken   Kind = "token"   // an API token, Authorization: Bearer tu_...
	ByMember  Kind = "member"  // a Manage member in the embedded screen
)

// Principal is who a request is made by, and in which workspace: the outcome of
// Authenticate. A handler decides by Role and by Workspace, and by nothing that the
// request says of itself.
type Principal struct {
	User      UserID // 0 for a member without a user, and for a token of the workspace
	Name      string
	Email     string
	Workspace billing.WorkspaceID // 0: a user who is in no workspace (any more)
	Role      Role                // in Workspace
	Kind      Kind

	// MustChangePassword and MustEnrolMFA: until it is done, the session may only do
	// that, see itself and sign out. Role is what it will be then; MayWork is the check.
	MustChangePassword bool
	MustEnrolMFA       bool

	Session SessionID // of a session; else 0
	Token   TokenID   // of an API token; else 0
	Member  string    // verified identifier of a Manage member; else ""
}

// MayWork says whether the principal may use the product at all: it has a role and owes
// neither a new password nor a second factor.
func (p Principal) MayWork() bool {
	return p.Workspace != 0 && p.Role.At(Viewer) && !p.MustChangePassword && !p.MustEnrolMFA
}

// May says whether the principal may do what the role may.
func (p Principal) May(least Role) bool { return p.MayWork() && p.Role.At(least) }
