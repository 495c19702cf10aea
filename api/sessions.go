package api

import (
	"context"
	"net/http"
	"time"

	"github.com/kangma/kangma"
)

type logInIn struct {
	Body struct {
		Phone    string `json:"phone,omitempty" maxLength:"20" doc:"residents: the registered phone"`
		OTP      string `json:"otp,omitempty" maxLength:"6" doc:"residents: the one-time password; leave it out to be sent one"`
		Username string `json:"username,omitempty" maxLength:"64" doc:"staff"`
		Password string `json:"password,omitempty" maxLength:"72" doc:"staff"`
	}
}

type logInOut struct {
	Status    int
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		Status  string    `json:"status" enum:"sent,logged-in"`
		Token   string    `json:"token,omitempty" doc:"send it as Authorization: Bearer TOKEN; browsers get a cookie too"`
		Role    Role      `json:"role,omitempty"`
		Expires time.Time `json:"expires_at,omitzero"`
	}
}

func (s *Server) logIn(ctx context.Context, in *logInIn) (*logInOut, error) {
	switch {
	case in.Body.Username != "":
		return s.logInStaff(ctx, in)
	case in.Body.Phone == "":
		return nil, kangma.E(kangma.Invalid, "login", "give a phone, or a username and a password")
	}
	phone, err := kangma.NewPhone(in.Body.Phone)
	if err != nil {
		return nil, err
	}
	if in.Body.OTP == "" {
		return s.sendOTP(ctx, phone)
	}
	token, ses, err := s.auth.logInByPhone(ctx, phone, in.Body.OTP)
	if err != nil {
		return nil, err
	}
	return logged(token, ses), nil
}

// sendOTP answers the same whether the phone is registered or not.
func (s *Server) sendOTP(ctx context.Context, phone kangma.Phone) (*logInOut, error) {
	if err := s.limits.allow("otp:"+s.auth.otpID(phone), 5, 10*time.Minute, s.auth.now()); err != nil {
		return nil, err
	}
	var code string
	var err, unknown error
	s.cfg.Registry.Together(ctx,
		func(ctx context.Context) { code, err = s.auth.newOTP(ctx, phone) },
		func(ctx context.Context) { _, unknown = s.cfg.Registry.FindByPhone(ctx, phone, nil) })
	if err != nil {
		return nil, unavailable(err)
	}
	if unknown == nil {
		if err := s.cfg.SendOTP(ctx, phone, code); err != nil {
			return nil, kangma.E(kangma.Unavailable, "otp_send", "the one-time password could not be sent; try again").Because(err)
		}
	}
	out := &logInOut{Status: http.StatusAccepted}
	out.Body.Status = "sent"
	return out, nil
}

func (s *Server) logInStaff(ctx context.Context, in *logInIn) (*logInOut, error) {
	if err := s.limits.allow("login:"+in.Body.Username, 10, 5*time.Minute, s.auth.now()); err != nil {
		return nil, err
	}
	acc, err := s.auth.staffLogin(ctx, in.Body.Username, in.Body.Password)
	if err != nil {
		return nil, err
	}
	ses := session{Role: acc.Role, Account: in.Body.Username, Expires: s.auth.now().Add(staffLife)}
	token, err := s.auth.startSession(ctx, ses)
	if err != nil {
		return nil, unavailable(err)
	}
	return logged(token, ses), nil
}

func logged(token string, ses session) *logInOut {
	out := &logInOut{Status: http.StatusOK, SetCookie: []http.Cookie{{
		Name: cookieName(ses.Role), Value: token, Path: "/", Expires: ses.Expires,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}}}
	out.Body.Status, out.Body.Token, out.Body.Role, out.Body.Expires = "logged-in", token, ses.Role, ses.Expires
	return out
}

type authIn struct {
	Authorization string `header:"Authorization" hidden:"true"`
	Cookie        string `header:"Cookie" hidden:"true"`
	As            string `header:"Kangma-As" enum:"resident,staff" doc:"which login is meant, in a browser that has both"`
}

type noContent struct {
	Status    int
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

func (s *Server) logOut(ctx context.Context, in *authIn) (*noContent, error) {
	header := func(name string) string {
		return map[string]string{"Authorization": in.Authorization, "Cookie": in.Cookie, asHeader: in.As}[name]
	}
	role := who(ctx).Role
	if err := s.auth.end(ctx, tokenOf(header, []Role{role})); err != nil {
		return nil, err
	}
	gone := http.Cookie{Name: cookieName(role), Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	return &noContent{Status: http.StatusNoContent, SetCookie: []http.Cookie{gone}}, nil
}

type sessionOut struct {
	Body struct {
		Role      Role              `json:"role"`
		Name      string            `json:"name,omitempty"`
		Gates     []string          `json:"gates,omitempty"`
		Divisions []kangma.Division `json:"divisions,omitempty"`
		Expires   time.Time         `json:"expires_at"`
	}
}

func (s *Server) session(ctx context.Context, _ *emptyIn) (*sessionOut, error) {
	p := who(ctx)
	out := &sessionOut{}
	out.Body.Role, out.Body.Name, out.Body.Gates, out.Body.Divisions, out.Body.Expires = p.Role, p.Account.Name, p.Account.Gates, p.Account.Divisions, p.Expires
	return out, nil
}
