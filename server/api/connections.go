package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"trueup/server/billing"
)

// ConnectionsBook keeps connections and the consents that they live by.
type ConnectionsBook interface {
	ConnectionKeeper
	ConsentKeeper
}

// ConnectionKeeper keeps connections. No secret comes out of it: a connection says which
// are set, and the end of those that are long enough.
type ConnectionKeeper interface {
	// Connections lists them, the one to Manage first.
	Connections(ctx context.Context, w billing.WorkspaceID) ([]Connection, error)
	// Connection reads one; ErrNotFound.
	Connection(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID) (Connection, error)
	// TryConnection tests what was given, or, with an id, what is kept. Nothing is saved of
	// the former; of the latter how it was found.
	TryConnection(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID, given *ConnectionInput) (TestResult, error)
	// SaveConnection tests what was given and saves it (id 0: a new one) with who did it;
	// its customers are synced next. Secrets that are left out stay as they are. One that
	// fails the test is a Refusal with the checks, unless it shall be saved all the same.
	// ErrMoved when version isn't the one that stands.
	SaveConnection(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ConnectionID, version int64, given ConnectionInput) (SavedConnection, error)
	// RemoveConnection removes one that no customer uses.
	RemoveConnection(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ConnectionID) error
}

type connectionsScreen struct {
	book ConnectionsBook
	now  func() time.Time
}

// ListConnections lists the connections.
func (s connectionsScreen) ListConnections(ctx context.Context, _ ListConnectionsRequestObject) (ListConnectionsResponseObject, error) {
	all, err := s.book.Connections(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return ListConnections200JSONResponse{Items: list(all)}, nil
}

// GetConnection answers with a connection.
func (s connectionsScreen) GetConnection(ctx context.Context, r GetConnectionRequestObject) (GetConnectionResponseObject, error) {
	is, err := s.book.Connection(ctx, workspaceOf(ctx), billing.ConnectionID(r.Connection))
	if err != nil {
		return nil, err
	}
	return GetConnection200JSONResponse{Body: is, Headers: GetConnection200ResponseHeaders{ETag: quoted(is.Version)}}, nil
}

// TryConnection tests a connection without saving it.
func (s connectionsScreen) TryConnection(ctx context.Context, r TryConnectionRequestObject) (TryConnectionResponseObject, error) {
	given, err := connectionIn(*r.Body, true)
	if err != nil {
		return nil, err
	}
	found, err := s.book.TryConnection(ctx, workspaceOf(ctx), 0, &given)
	return TryConnection200JSONResponse(found), err
}

// AddConnection tests a connection and saves it.
func (s connectionsScreen) AddConnection(ctx context.Context, r AddConnectionRequestObject) (AddConnectionResponseObject, error) {
	given, err := connectionIn(*r.Body, true)
	if err != nil {
		return nil, err
	}
	saved, err := s.book.SaveConnection(ctx, actor(ctx), workspaceOf(ctx), 0, 0, given)
	return AddConnection201JSONResponse(saved), err
}

// ChangeConnection tests a changed connection and saves it.
func (s connectionsScreen) ChangeConnection(ctx context.Context, r ChangeConnectionRequestObject) (ChangeConnectionResponseObject, error) {
	id := billing.ConnectionID(r.Connection)
	is, err := s.book.Connection(ctx, workspaceOf(ctx), id) // what isn't there comes before what is wrong
	if err != nil {
		return nil, err
	}
	if err := same(r.Params.IfMatch, is.Version); err != nil {
		return nil, err
	}
	version, err := versionIn(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if is.Kind != r.Body.Kind {
		return nil, Faulty("kind", "fixed", "A connection keeps its kind. Add another one, and give it to the customers.")
	}
	given, err := connectionIn(*r.Body, false)
	if err != nil {
		return nil, err
	}
	saved, err := s.book.SaveConnection(ctx, actor(ctx), workspaceOf(ctx), id, version, given)
	if err != nil {
		return nil, err
	}
	return ChangeConnection200JSONResponse{Body: saved, Headers: ChangeConnection200ResponseHeaders{ETag: quoted(saved.Connection.Version)}}, nil
}

// RemoveConnection removes a connection that no customer uses.
func (s connectionsScreen) RemoveConnection(ctx context.Context, r RemoveConnectionRequestObject) (RemoveConnectionResponseObject, error) {
	err := s.book.RemoveConnection(ctx, actor(ctx), workspaceOf(ctx), billing.ConnectionID(r.Connection))
	return RemoveConnection204Response{}, err
}

// TestConnection tests a saved connection.
func (s connectionsScreen) TestConnection(ctx context.Context, r TestConnectionRequestObject) (TestConnectionResponseObject, error) {
	found, err := s.book.TryConnection(ctx, workspaceOf(ctx), billing.ConnectionID(r.Connection), nil)
	return TestConnection200JSONResponse(found), err
}

// connectionIn reads a form: what a kind needs must be there, and what isn't of its kind
// is left out. Of a kept connection the secrets may be missing.
func connectionIn(in ConnectionInput, isNew bool) (ConnectionInput, error) {
	var faults []FieldFault
	need := func(field, value string) {
		if strings.TrimSpace(value) == "" {
			faults = append(faults, FieldFault{Field: field, Code: "required", Text: "It is needed."})
		}
	}
	secret := func(field, value string) {
		if isNew {
			need(field, value)
		}
	}
	out := ConnectionInput{Kind: in.Kind, Name: strings.TrimSpace(in.Name), ClientID: strings.TrimSpace(in.ClientID), EvenIfBroken: in.EvenIfBroken}
	if in.Kind == ConnectionKindManage {
		out.Site, out.Company, out.PublicKey, out.PrivateKey = strings.TrimSpace(in.Site), strings.TrimSpace(in.Company), strings.TrimSpace(in.PublicKey), strings.TrimSpace(in.PrivateKey)
		need("site", out.Site)
		need("company", out.Company)
		secret("publicKey", out.PublicKey)
		secret("privateKey", out.PrivateKey)
		return out, refuseFaults(faults)
	}
	out.Tenant, out.Cloud = strings.ToLower(strings.TrimSpace(in.Tenant)), in.Cloud
	out.ClientSecret, out.ClientCertificate = strings.TrimSpace(in.ClientSecret), strings.TrimSpace(in.ClientCertificate)
	need("name", out.Name)
	need("tenant", out.Tenant)
	need("clientId", out.ClientID)
	switch in.Kind {
	case ConnectionKindPassword:
		out.Username, out.Password = strings.TrimSpace(in.Username), in.Password
		need("username", out.Username)
		secret("password", out.Password)
	case ConnectionKindPartnerApp, ConnectionKindPartnerConsent, ConnectionKindTenantApp:
		if out.ClientCertificate == "" {
			secret("clientSecret", out.ClientSecret)
		}
	case ConnectionKindManage:
	}
	if out.ClientSecret != "" && out.ClientCertificate != "" {
		faults = append(faults, FieldFault{Field: "clientCertificate", Code: "contradicts", Text: "Give a client secret or a certificate, not both."})
	}
	return out, refuseFaults(faults)
}

// refuseFaults refuses a request for its fields; nil for none.
func refuseFaults(faults []FieldFault) error {
	if len(faults) == 0 {
		return nil
	}
	return &Refusal{
		Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: "Something in the request can't be as it was given.",
		Action: "Correct the fields that are named, then send it again.", Faults: faults,
	}
}
