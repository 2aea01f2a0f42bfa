package logincmd

import (
	"errors"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/oauth"
)

// Each problem has its exit status and a message in the user's language.
func TestNoToken(t *testing.T) {
	t.Parallel()
	tried := 0
	for problem, want := range map[oauth.Problem]struct {
		code   int
		en, zh string
	}{
		oauth.NoClientID:  {command.ExitConfig, "no client ID", "没有客户端 ID"},
		oauth.NoDevice:    {command.ExitConfig, "does not support signing in on another device", "设备"},
		oauth.BadURL:      {command.ExitConfig, "not https: it says no", "不是 https"},
		oauth.BadClient:   {command.ExitConfig, "login.example refused the client ID", "login.example 拒绝了该客户端 ID"},
		oauth.BadScope:    {command.ExitConfig, "does not allow this client ID to send mail", "不允许该客户端 ID 发送邮件"},
		oauth.Unreachable: {command.ExitTemporary, "can't reach login.example", "无法连接 login.example"},
		oauth.Failing:     {command.ExitTemporary, "does not respond like an OAuth 2.0 server", "不符合 OAuth 2.0 规范"},
		oauth.Untrusted:   {command.ExitProtocol, "the certificate of login.example is not trusted", "证书不受信任"},
		oauth.Denied:      {command.ExitAuth, "you refused the permission", "授权被拒绝"},
		oauth.Expired:     {command.ExitTemporary, "the code expired", "代码已过期"},
		oauth.Rejected:    {command.ExitAuth, "login.example returned no token: it says no", "login.example 没有返回令牌"},
	} {
		for lang, says := range map[i18n.Language]string{i18n.English: want.en, i18n.Chinese: want.zh} {
			a, _, _ := testApp(lang)
			var failed *command.Failure
			err := (consent{&loginSetup{a: a, s: &loginFlags{}}}).tokenError(t.Context(), &oauth.Error{Problem: problem, Host: "login.example", Err: errors.New("it says no")})
			if !errors.As(err, &failed) || failed.Code != want.code || !strings.Contains(err.Error(), says) {
				t.Errorf("%s in %s: %v, %+v", problem, lang, err, failed)
			}
			tried++
		}
	}
	if tried < 22 {
		t.Fatalf("only %d problems", tried)
	}
}
