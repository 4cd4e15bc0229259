package microsoftsim

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// grantUser makes a user's tokens for the tenant of the path.
func (s *Sim) grantUser(g *grantRequest, account *Account, mfa bool) (*tokenAnswer, *refusedToken) {
	home := s.tenantByName(account.TenantID)
	if home == nil {
		return nil, refuse(90002)
	}
	if g.tenant == nil {
		g.tenant = home
		if code := codeOf(home.troubleOn(s.day)); code != 0 {
			return nil, refuse(code)
		}
	}
	directory := account.Roles
	if len(directory) == 0 {
		directory = []string{roleGlobalAdmin}
	}
	if g.tenant != home {
		// The user signs in at home first: what is wrong there is wrong everywhere.
		if code := userCodeOf(home.troubleOn(s.day)); code != 0 {
			return nil, refuse(code)
		}
		if !s.delegated(account, g.tenant) {
			return nil, refuse(50020)
		}
		directory = g.tenant.Partnership.roles()
	}
	if g.want.role == rolePartnerCenter && g.tenant != home {
		return nil, &refusedToken{code: 500011, resource: g.want.resource}
	}
	scopes, refused := s.consentedScopes(g)
	if refused != nil {
		return nil, refused
	}
	who := identity{
		Audience: g.want.resource, AppID: g.app.ID, TenantID: g.tenant.ID, Type: "user", UPN: account.UPN,
		Scopes: strings.Join(scopes, " "), Methods: []string{"pwd"}, Directory: directory, Generation: g.tenant.generation,
	}
	if mfa {
		who.Methods = append(who.Methods, "mfa")
	}
	answer, refused := s.issue(g, who)
	if refused != nil {
		return nil, refused
	}
	return s.addUserTokens(g, answer, account, mfa)
}

// consentedScopes are the delegated permissions that the app gets in the tenant.
func (s *Sim) consentedScopes(g *grantRequest) ([]string, *refusedToken) {
	consent, refused := g.principal()
	if refused != nil && refused.code == 7000229 {
		return nil, refuse(65001)
	}
	if refused != nil {
		return nil, refused
	}
	if g.tenant.troubleOn(s.day) == TroubleNoRoles {
		return nil, nil
	}
	granted := scopesOf(consent, g.want.role)
	for _, name := range g.want.names {
		if !slices.Contains(granted, name) {
			return nil, refuse(65001)
		}
	}
	if g.want.role == rolePartnerCenter && len(granted) == 0 {
		return nil, refuse(65001)
	}
	return granted, nil
}

// delegated says whether a partner's user may act in a customer's tenant; the caller holds the lock.
func (s *Sim) delegated(account *Account, t *Tenant) bool {
	p := t.Partnership
	return p != nil && strings.EqualFold(p.PartnerTenantID, account.TenantID) && p.listed(s.day) && p.status(s.day) == "active" && !p.NoGroup
}

// addUserTokens adds the refresh and id tokens that were asked for. A new refresh token doesn't end the old one.
func (s *Sim) addUserTokens(g *grantRequest, answer *tokenAnswer, account *Account, mfa bool) (*tokenAnswer, *refusedToken) {
	answer.ClientInfo = clientInfo(account)
	var names []string
	if consent := g.tenant.consent(g.app.ID); consent != nil {
		for _, scope := range scopesOf(consent, g.want.role) {
			names = append(names, strings.TrimSuffix(g.want.resource, "/")+"/"+scope)
		}
	}
	answer.Scope = strings.Join(names, " ")
	if g.want.offline {
		answer.RefreshToken = "1.A" + rand.Text() + rand.Text()
		s.refresh[answer.RefreshToken] = &refreshGrant{upn: account.UPN, appID: g.app.ID, mfa: mfa, used: s.day}
	}
	if !g.want.openID {
		return answer, nil
	}
	now := s.now()
	claims := jwt.MapClaims{
		"aud": g.app.ID, "iss": g.q.urls.Login + "/" + g.tenant.ID + "/v2.0", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "tid": g.tenant.ID,
		"oid": account.id, "sub": account.id, "preferred_username": account.UPN, "name": account.UPN, "ver": "2.0",
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(s.key)
	if err != nil {
		return nil, refuse(90033)
	}
	answer.IDToken = token
	return answer, nil
}
