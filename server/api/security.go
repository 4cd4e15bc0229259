package api

import (
	"context"
	"strconv"
	"time"

	"trueup/server/account"
	"trueup/server/billing"
)

// TokenBook is the API tokens of the workspace of who asks.
type TokenBook interface {
	Tokens(ctx context.Context, p account.Principal) ([]billing.APIToken, error)
	CreateToken(ctx context.Context, p account.Principal, name string, role account.Role, ends time.Time, c account.Client) (billing.APIToken, string, error)
	RevokeToken(ctx context.Context, p account.Principal, id account.TokenID, c account.Client) error
}

// SecurityBook is how people sign in to the workspace of who asks.
type SecurityBook interface {
	SignInPolicy(ctx context.Context, p account.Principal) (billing.SignInPolicy, error)
	SaveSignInPolicy(ctx context.Context, p account.Principal, s billing.SignInPolicy, c account.Client) (billing.SignInPolicy, error)
	Provider(ctx context.Context, p account.Principal) (billing.Provider, error)
	SaveProvider(ctx context.Context, p account.Principal, pr billing.Provider, secret *string, c account.Client) (billing.Provider, error)
	RemoveProvider(ctx context.Context, p account.Principal, c account.Client) error
	CallbackURL() string
}

// ListTokens lists the tokens of programs, newest first.
func (s usersScreen) ListTokens(ctx context.Context, _ ListTokensRequestObject) (ListTokensResponseObject, error) {
	all, err := s.book.Tokens(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	zone, err := s.book.Zone(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return ListTokens200JSONResponse{Items: each(all, func(t billing.APIToken) APIToken { return tokenOf(t, zone) })}, nil
}

// tokenOf is a token, whose last day is that before its end.
func tokenOf(t billing.APIToken, zone *time.Location) APIToken {
	return APIToken{
		ID: int(t.ID), Name: t.Name, Role: Role(t.Role.String()), By: t.ByName, At: t.Created, LastUsed: t.Used, EndsIn: t.Hint,
		Ends: dayOf(billing.DayOf(t.Ends.Add(-time.Second).In(zone))),
	}
}

// MakeToken makes a token, good through its last day in the workspace's zone, and shows
// its secret this once.
func (s usersScreen) MakeToken(ctx context.Context, r MakeTokenRequestObject) (MakeTokenResponseObject, error) {
	role, err := account.ParseRole(string(r.Body.Role))
	if err != nil {
		return nil, Faulty("role", "unknown", "It is none of viewer, technician, billing and admin.")
	}
	last, err := dayIn("ends", r.Body.Ends)
	if err != nil {
		return nil, err
	}
	zone, err := s.book.Zone(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	after, err := time.ParseInLocation(time.DateOnly, (last + 1).String(), zone)
	if err != nil {
		return nil, Faulty("ends", "no_day", "There is no such day.")
	}
	t, secret, err := s.book.CreateToken(ctx, principal(ctx), r.Body.Name, role, after, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return MakeToken201JSONResponse{Token: tokenOf(t, zone), Secret: secret}, nil
}

// RemoveToken ends a token at once.
func (s usersScreen) RemoveToken(ctx context.Context, r RemoveTokenRequestObject) (RemoveTokenResponseObject, error) {
	if err := s.book.RevokeToken(ctx, principal(ctx), account.TokenID(r.Token), clientOf(ctx)); err != nil {
		return nil, err
	}
	return RemoveToken204Response{}, nil
}

// GetSecurity answers with how people sign in and the version to change it by.
func (s usersScreen) GetSecurity(ctx context.Context, _ GetSecurityRequestObject) (GetSecurityResponseObject, error) {
	p, err := s.book.SignInPolicy(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	body := securityOf(p)
	return GetSecurity200JSONResponse{Body: body, Headers: GetSecurity200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

func securityOf(p billing.SignInPolicy) Security {
	return Security{
		Settings: SecurityInput{MFARequired: p.MFARequired, SessionHours: p.SessionHours, AllowedAddresses: list(p.AllowedNetworks)},
		Version:  strconv.FormatInt(p.Version, 10),
	}
}

// SaveSecurity changes how people sign in.
func (s usersScreen) SaveSecurity(ctx context.Context, r SaveSecurityRequestObject) (SaveSecurityResponseObject, error) {
	version, err := versionIn(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	p, err := s.book.SaveSignInPolicy(ctx, principal(ctx), billing.SignInPolicy{
		MFARequired: r.Body.MFARequired, SessionHours: r.Body.SessionHours, AllowedNetworks: r.Body.AllowedAddresses, Version: version,
	}, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	body := securityOf(p)
	return SaveSecurity200JSONResponse{Body: body, Headers: SaveSecurity200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

// GetOpenID answers with the provider; none is 404.
func (s usersScreen) GetOpenID(ctx context.Context, _ GetOpenIDRequestObject) (GetOpenIDResponseObject, error) {
	p, err := s.book.Provider(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	body := s.providerOf(p)
	return GetOpenID200JSONResponse{Body: body, Headers: GetOpenID200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

func (s usersScreen) providerOf(p billing.Provider) OpenIDProvider {
	return OpenIDProvider{
		Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, Secret: p.HasSecret, Domains: list(p.Domains), Callback: s.book.CallbackURL(),
		Version: strconv.FormatInt(p.Version, 10),
	}
}

// SaveOpenID sets the provider, after it was asked who it is. Without a secret the one
// that is kept stays.
func (s usersScreen) SaveOpenID(ctx context.Context, r SaveOpenIDRequestObject) (SaveOpenIDResponseObject, error) {
	var secret *string
	if r.Body.ClientSecret != "" {
		secret = &r.Body.ClientSecret
	}
	p, err := s.book.SaveProvider(ctx, principal(ctx), billing.Provider{
		Name: r.Body.Name, Issuer: r.Body.Issuer, ClientID: r.Body.ClientID, Domains: r.Body.Domains,
	}, secret, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return SaveOpenID200JSONResponse(s.providerOf(p)), nil
}

// RemoveOpenID takes the provider away.
func (s usersScreen) RemoveOpenID(ctx context.Context, _ RemoveOpenIDRequestObject) (RemoveOpenIDResponseObject, error) {
	if err := s.book.RemoveProvider(ctx, principal(ctx), clientOf(ctx)); err != nil {
		return nil, err
	}
	return RemoveOpenID204Response{}, nil
}
