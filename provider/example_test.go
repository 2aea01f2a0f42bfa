package provider_test

import (
	"fmt"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

func ExampleByName() {
	p, ok := provider.ByName("腾讯企业邮箱")
	fmt.Println(ok, p.ID, p.Names.EN)
	// Output: true exmail Tencent Exmail / WeCom Mail
}

func ExampleByDomain() {
	from, err := smtp.ParseAddress("wang@VIP.163.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	p, _ := provider.ByDomain(from.ASCIIDomain())
	where, _ := p.Submission(from.ASCIIDomain())
	fmt.Println(where.Host, where.Port, where.TLS, p.LoginFor(from))
	// Output: smtp.vip.163.com 465 implicit wang@VIP.163.com
}

func ExampleNearest() {
	fmt.Println(provider.Nearest("gmial"))
	// Output: [gmail]
}
