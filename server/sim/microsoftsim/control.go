package microsoftsim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// Control is the management API, for a port of its own. Bodies and answers are JSON; names of fields are those of the Go types. A refusal is
// 400 with {"error":"…"}.
//
//	GET    /state                                        day, settings, numbers
//	PUT    /day {"day":"2026-03-17"}                     SetDay
//	PATCH  /settings {…}                                 Settings, the fields that are named; durations in nanoseconds
//	GET    /tenants                                      id, name and domain of each
//	POST   /tenants Tenant                               AddTenant
//	GET    /tenants/{tenant}                             Tenant
//	DELETE /tenants/{tenant}                             RemoveTenant
//	PUT    /tenants/{tenant}/trouble {"trouble":"…"}     SetTrouble
//	PUT    /tenants/{tenant}/consents Consent            SetConsent
//	DELETE /tenants/{tenant}/consents/{app}              RemoveConsent
//	PUT    /tenants/{tenant}/partnership Partnership     SetPartnership; null unties
//	POST   /tenants/{tenant}/expireTokens                ExpireTokens
//	POST   /tenants/{tenant}/skus SKU                    AddSKU
//	GET    /tenants/{tenant}/skus/{sku}/seats?subscription=   SeatHistory: [{"day","seats","present","trial","units","assigned"}]
//	PUT    /tenants/{tenant}/skus/{sku}/assigned {"day","seats"}                  SetAssigned
//	PUT    /tenants/{tenant}/subscriptions/{subscription}/seats {"day","seats"}   SetSeats
//	PUT    /tenants/{tenant}/subscriptions/{subscription}/status {"day","status"} SetStatus
//	POST   /tenants/{tenant}/users User                  AddUser
//	PUT    /tenants/{tenant}/users/{upn}/licenses/{sku} {"day"}     Assign
//	DELETE /tenants/{tenant}/users/{upn}/licenses/{sku}?day=        Unassign
//	POST   /apps App · POST /apps/{app}/redirects {"uri"} · POST /accounts Account · POST /accounts/{upn}/revoke
//	GET, POST, DELETE /faults                            Faults, InjectFault, ClearFaults
//	GET, DELETE /calls                                   {"routes","throttlePriorities"}, ResetCalls
//
// A day that is left out is the simulated day.
func (s *Sim) Control() http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range s.controlRoutes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			value, err := serve(r)
			answer := jsonAnswer(http.StatusOK, value)
			if err != nil {
				answer = jsonAnswer(http.StatusBadRequest, map[string]string{"error": err.Error()})
			}
			answer.header.Set("Content-Type", "application/json")
			answer.write(w)
		})
	}
	return mux
}

// control is one call of the management API; its value becomes the answer.
type control func(*http.Request) (any, error)

func (s *Sim) controlRoutes() map[string]control {
	return map[string]control{
		"GET /state":      s.controlState,
		"PUT /day":        s.controlDay,
		"PATCH /settings": s.controlSettings,
		"GET /tenants":    s.controlTenants,
		"POST /tenants": func(r *http.Request) (any, error) {
			return from(r, func(t *Tenant) error { return s.AddTenant(t) })
		},
		"GET /tenants/{tenant}": s.controlTenant,
		"DELETE /tenants/{tenant}": func(r *http.Request) (any, error) {
			return done(s.RemoveTenant(r.PathValue("tenant")))
		},
		"PUT /tenants/{tenant}/trouble": func(r *http.Request) (any, error) {
			return from(r, func(in *struct{ Trouble Trouble }) error { return s.SetTrouble(r.PathValue("tenant"), in.Trouble) })
		},
		"PUT /tenants/{tenant}/consents": func(r *http.Request) (any, error) {
			return from(r, func(c *Consent) error { return s.SetConsent(r.PathValue("tenant"), *c) })
		},
		"DELETE /tenants/{tenant}/consents/{app}": func(r *http.Request) (any, error) {
			return done(s.RemoveConsent(r.PathValue("tenant"), r.PathValue("app")))
		},
		"PUT /tenants/{tenant}/partnership": func(r *http.Request) (any, error) {
			return from(r, func(p **Partnership) error { return s.SetPartnership(r.PathValue("tenant"), *p) })
		},
		"POST /tenants/{tenant}/expireTokens": func(r *http.Request) (any, error) {
			return done(s.ExpireTokens(r.PathValue("tenant")))
		},
		"POST /tenants/{tenant}/skus": func(r *http.Request) (any, error) {
			return from(r, func(sku *SKU) error { return s.AddSKU(r.PathValue("tenant"), sku) })
		},
		"GET /tenants/{tenant}/skus/{sku}/seats": func(r *http.Request) (any, error) {
			return s.SeatHistory(r.PathValue("tenant"), r.PathValue("sku"), r.URL.Query().Get("subscription"))
		},
		"PUT /tenants/{tenant}/skus/{sku}/assigned": func(r *http.Request) (any, error) {
			return from(r, func(step *SeatStep) error {
				return s.SetAssigned(r.PathValue("tenant"), r.PathValue("sku"), s.or(step.Day), step.Seats)
			})
		},
		"PUT /tenants/{tenant}/subscriptions/{subscription}/seats": func(r *http.Request) (any, error) {
			return from(r, func(step *SeatStep) error {
				return s.SetSeats(r.PathValue("tenant"), r.PathValue("subscription"), s.or(step.Day), step.Seats)
			})
		},
		"PUT /tenants/{tenant}/subscriptions/{subscription}/status": func(r *http.Request) (any, error) {
			return from(r, func(step *StatusStep) error {
				return s.SetStatus(r.PathValue("tenant"), r.PathValue("subscription"), s.or(step.Day), step.Status)
			})
		},
		"POST /tenants/{tenant}/users": func(r *http.Request) (any, error) {
			return from(r, func(u *User) error { return s.AddUser(r.PathValue("tenant"), u) })
		},
		"PUT /tenants/{tenant}/users/{upn}/licenses/{sku}":    s.controlAssign,
		"DELETE /tenants/{tenant}/users/{upn}/licenses/{sku}": s.controlUnassign,
		"POST /apps": func(r *http.Request) (any, error) {
			return from(r, func(a *App) error { return s.AddApp(*a) })
		},
		"POST /apps/{app}/redirects": func(r *http.Request) (any, error) {
			return from(r, func(in *struct{ URI string }) error { return s.AddRedirectURI(r.PathValue("app"), in.URI) })
		},
		"POST /accounts": func(r *http.Request) (any, error) {
			return from(r, func(a *Account) error { return s.AddAccount(*a) })
		},
		"POST /accounts/{upn}/revoke": func(r *http.Request) (any, error) {
			s.RevokeSessions(r.PathValue("upn"))
			return done(nil)
		},
		"GET /faults":    func(*http.Request) (any, error) { return s.Faults(), nil },
		"POST /faults":   s.controlFault,
		"DELETE /faults": func(*http.Request) (any, error) { s.ClearFaults(); return done(nil) },
		"GET /calls": func(*http.Request) (any, error) {
			return map[string]any{"routes": s.Calls(), "throttlePriorities": s.ThrottlePriorities()}, nil
		},
		"DELETE /calls": func(*http.Request) (any, error) { s.ResetCalls(); return done(nil) },
	}
}

// read decodes a body strictly: a knob that is spelt wrong must not do nothing.
func read(r *http.Request, into any) error {
	decoder := json.NewDecoder(io.LimitReader(r.Body, 64<<20))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func from[T any](r *http.Request, change func(*T) error) (any, error) {
	var in T
	if err := read(r, &in); err != nil {
		return nil, err
	}
	return done(change(&in))
}

func done(err error) (any, error) { return map[string]bool{"ok": true}, err }

// or is day, or the simulated day when it is none.
func (s *Sim) or(day Day) Day {
	if day == 0 {
		return s.Day()
	}
	return day
}

func (s *Sim) controlState(*http.Request) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return map[string]any{"day": s.day, "settings": s.settings, "tenants": len(s.tenants), "apps": len(s.apps), "accounts": len(s.accounts)}, nil
}

func (s *Sim) controlDay(r *http.Request) (any, error) {
	return from(r, func(in *struct{ Day Day }) error {
		if in.Day == 0 {
			return errors.New("day is missing")
		}
		s.SetDay(in.Day)
		return nil
	})
}

func (s *Sim) controlSettings(r *http.Request) (any, error) {
	next := s.Settings()
	if err := read(r, &next); err != nil {
		return nil, err
	}
	if next.Latency > time.Minute {
		return nil, errors.New("latency is longer than a minute")
	}
	s.Set(func(now *Settings) { *now = next })
	return next, nil
}

func (s *Sim) controlTenants(*http.Request) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]map[string]string, 0, len(s.order))
	for _, t := range s.order {
		out = append(out, map[string]string{"id": t.ID, "displayName": t.DisplayName, "defaultDomain": t.DefaultDomain, "trouble": string(t.troubleOn(s.day))})
	}
	return out, nil
}

// controlTenant encodes under the lock, since the tenant may change right after.
func (s *Sim) controlTenant(r *http.Request) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tenantByName(r.PathValue("tenant"))
	if t == nil {
		return nil, errors.New("the tenant is not there")
	}
	raw, err := json.Marshal(t)
	return json.RawMessage(raw), err
}

func (s *Sim) controlAssign(r *http.Request) (any, error) {
	return from(r, func(in *struct{ Day Day }) error {
		return s.Assign(r.PathValue("tenant"), r.PathValue("upn"), r.PathValue("sku"), s.or(in.Day))
	})
}

func (s *Sim) controlUnassign(r *http.Request) (any, error) {
	day := s.Day()
	if text := r.URL.Query().Get("day"); text != "" {
		parsed, err := ParseDay(text)
		if err != nil {
			return nil, err
		}
		day = parsed
	}
	return done(s.Unassign(r.PathValue("tenant"), r.PathValue("upn"), r.PathValue("sku"), day))
}

func (s *Sim) controlFault(r *http.Request) (any, error) {
	var f Fault
	if err := read(r, &f); err != nil {
		return nil, err
	}
	id, err := s.InjectFault(f)
	return map[string]int{"id": id}, err
}
