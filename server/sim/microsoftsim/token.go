package microsoftsim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	graphAppID         = "00000003-0000-0000-c000-000000000000"
	graphURL           = "https://graph.microsoft.com"
	partnerCenterAppID = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
	partnerCenterURL   = "https://api.partnercenter.microsoft.com"
)

// identity is who an access token speaks for.
type identity struct {
	Audience   string   `json:"aud"`
	Expires    int64    `json:"exp"`
	AppID      string   `json:"appid"`
	TenantID   string   `json:"tid"`
	Type       string   `json:"idtyp"` // app | user
	Roles      []string `json:"roles"`
	Scopes     string   `json:"scp"`
	UPN        string   `json:"upn"`
	Methods    []string `json:"amr"`
	Directory  []string `json:"wids"` // directory roles
	Generation int      `json:"gen"`
	Day        Day      `json:"day"` // on which it was issued
}

// GetExpirationTime and the five below are what the JWT library asks of claims.
func (i identity) GetExpirationTime() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(time.Unix(i.Expires, 0)), nil
}

// GetIssuedAt is not checked.
func (i identity) GetIssuedAt() (*jwt.NumericDate, error) { return nil, nil }

// GetNotBefore is not checked.
func (i identity) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil }

// GetIssuer is not checked.
func (i identity) GetIssuer() (string, error) { return "", nil }

// GetSubject is not checked.
func (i identity) GetSubject() (string, error) { return "", nil }

// GetAudience is the token's resource.
func (i identity) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{i.Audience}, nil
}

func (i identity) has(permissions []string) bool {
	held := i.Roles
	if i.Type == "user" {
		held = strings.Fields(i.Scopes)
	}
	return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(held, p) })
}

// mint makes an access token.
func (s *Sim) mint(i identity, issuer string, lifetime time.Duration) (string, error) {
	now := s.now()
	claims := jwt.MapClaims{
		"aud": i.Audience, "iss": issuer, "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(lifetime).Unix(),
		"appid": i.AppID, "tid": i.TenantID, "idtyp": i.Type, "oid": ID("oid", i.TenantID, i.AppID, i.UPN),
		"sub": ID("sub", i.TenantID, i.AppID, i.UPN), "ver": "1.0", "gen": i.Generation, "day": s.day,
	}
	if len(i.Roles) > 0 {
		claims["roles"] = i.Roles
	}
	if i.Type == "user" {
		claims["scp"], claims["upn"], claims["amr"], claims["wids"] = i.Scopes, i.UPN, i.Methods, i.Directory
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return token, nil
}

// lifetime is how long new access tokens live.
func (s *Settings) lifetime() time.Duration {
	if s.TokenLifetime > 0 {
		return s.TokenLifetime
	}
	return 3599 * time.Second
}

// identify reads a bearer token. The reason is in Microsoft's words where they are known.
func (s *Sim) identify(header string, audiences []string) (*identity, string) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, "Access token is empty."
	}
	who := &identity{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(s.now), jwt.WithExpirationRequired())
	_, err := parser.ParseWithClaims(strings.TrimSpace(token), who, func(*jwt.Token) (any, error) { return s.key, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return nil, "Lifetime validation failed, the token is expired."
	case err != nil:
		return nil, "CompactToken parsing failed or signature validation failed."
	case !slices.Contains(audiences, strings.TrimSuffix(who.Audience, "/")):
		return nil, "Access token validation failure. Invalid audience."
	}
	return who, ""
}

// admitted says whether the tenant still takes a token that it issued. A token outlives lost consent at Microsoft for up to its lifetime;
// the simulator ends it at once unless LingeringTokens is on, so that what is set on a day is seen on that day. When the day moves, the tokens of
// other days are expired. The caller holds the lock.
func (s *Sim) admitted(who *identity) (*Tenant, string) {
	t := s.tenants[strings.ToLower(who.TenantID)]
	if t == nil {
		return nil, "The tenant of the token does not exist."
	}
	trouble := t.troubleOn(s.day)
	if who.Generation != t.generation || trouble == TroubleExpiredTokens {
		return nil, "Lifetime validation failed, the token is expired."
	}
	if s.settings.LingeringTokens {
		return t, ""
	}
	if who.Day != s.day {
		return nil, "Lifetime validation failed, the token is expired."
	}
	if c := t.consent(who.AppID); c == nil || c.Disabled {
		return nil, "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: ServicePrincipalDisabledOrDeleted"
	}
	if codeOf(trouble) != 0 {
		return nil, "Continuous access evaluation resulted in challenge with result: InteractionRequired"
	}
	if account := s.accounts[strings.ToLower(who.UPN)]; who.Type == "user" && account != nil && !strings.EqualFold(account.TenantID, t.ID) && !s.delegated(account, t) {
		return nil, "Continuous access evaluation resulted in challenge with result: InteractionRequired"
	}
	return t, ""
}

// resourceOf says which role a resource identifier of a scope means: roleGraph, rolePartnerCenter, or "".
func resourceOf(resource string, u URLs) string {
	switch strings.TrimSuffix(resource, "/") {
	case graphAppID, graphURL, u.Graph:
		return roleGraph
	case partnerCenterAppID, "api://" + partnerCenterAppID, partnerCenterURL, u.PartnerCenter:
		return rolePartnerCenter
	}
	return ""
}
