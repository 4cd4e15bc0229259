package account

import (
	"time"

	"trueup/server/billing"
)

// Role is what a user may do in a workspace; see billing.UserRole.
type Role = billing.UserRole

// The roles, least first.
const (
	Viewer     = billing.RoleViewer     // look
	Technician = billing.RoleTechnician // link, sync now
	Billing    = billing.RoleBilling    // approve, profiles, policy
	Admin      = billing.RoleAdmin      // connections, users, everything
)

// ParseRole reads viewer, technician, billing or admin; anything else is an error.
func ParseRole(text string) (Role, error) { return billing.ParseUserRole(text) }

// UserID is a person, in all workspaces.
type UserID = billing.UserID

// SessionID names a session; it is no secret.
type SessionID = billing.SessionID

// TokenID names an API token; it is no secret.
type TokenID = billing.TokenID

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
	User      UserID // 0 for a member without a user; of a token, the user who made it
	Name      string
	Email     string
	Workspace billing.WorkspaceID // 0: a user who is in no workspace (any more)
	Role      Role                // in Workspace
	Kind      Kind

	// MustChangePassword and MustEnrolMFA: until it is done, the session may only do
	// that, see itself and sign out. Role is what it will be then; MayWork is the check.
	MustChangePassword bool
	MustEnrolMFA       bool

	Session  SessionID          // of a session; else 0
	Provider billing.ProviderID // the session was begun with it: it reaches this workspace only
	Token    TokenID            // of an API token; else 0
	Member   string             // verified or linked identifier of a Manage member; else ""
	Record   Record             // of ByMember: all that it reaches
}

// Record is the one record of Manage that a member looks at, and until when. The zero
// Record binds to nothing.
type Record struct {
	Session     int64  // of the screen; no secret
	Screen      string // agreement or company
	ID          int
	Name        string
	Company     int // of a company, itself
	CompanyName string
	Checked     bool // it was read with the member's own rights
	Ends        time.Time
}

// Bound says whether the principal reaches this record and nothing else.
func (r Record) Bound() bool { return r.Screen != "" }

// Agreement is the record, where it is an agreement; 0 where it is a company.
func (r Record) Agreement() int {
	if r.Screen == "agreement" {
		return r.ID
	}
	return 0
}

// MayWork says whether the principal may use the product at all: it has a role and owes
// neither a new password nor a second factor.
func (p Principal) MayWork() bool {
	return p.Workspace != 0 && p.Role.At(Viewer) && !p.MustChangePassword && !p.MustEnrolMFA
}

// May says whether the principal may do what the role may.
func (p Principal) May(least Role) bool { return p.MayWork() && p.Role.At(least) }

// Client is where a request comes from, for delays, lists of sessions and the audit.
type Client struct {
	Address string // IP address, as the trusted proxies say
	Device  string // User-Agent, any length
	Request string // id that joins it to the log
}

// Actor is the principal as the audit names it.
func (p Principal) Actor(c Client) billing.Actor {
	kind := map[Kind]string{BySession: "user", ByToken: "token", ByMember: "member"}[p.Kind]
	return billing.Actor{
		Kind: kind, User: p.User, Name: p.Name, Session: p.Session, Token: p.Token, Member: p.Member,
		Address: c.Address, Request: c.Request,
	}
}
