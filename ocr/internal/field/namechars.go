package field

import (
	"strings"
	"sync"
)

// surnames are the single-character family names that most people bear, the commonest first, and with what the others of two
// characters begin.
const surnames = `王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎闫薛尹段雷黎史龙
陶贺顾毛郝龚邵万钱严赖覃洪武莫孔汤向常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈
饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚
鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈
湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由诸上皇令东`

// unnamed are characters that nobody is named with: of death, illness, crime, filth, pain and abuse. Some of them look like
// common ones of names: 苦 like 若, 娼 like 娟.
const unnamed = `死亡尸鬼病疾癌疯痴傻呆笨蠢丑奸淫娼妓嫖婊屎尿屁粪臭脏贱贼盗匪骗杀屠坟墓葬棺丧哭泣疼伤残瘸瞎聋哑秃肿癞疮疤瘤疟瘟灾祸祟妖孽怨恨辱骂苦惨悲忧怒惧耻罪罚囚牢狱腐烂败衰赌毁灭蛆蝇蚊虱蟑
坑债寡孤喽嘛吗呢啊哦嗯喂踢咬啃舔抓扔砸揍抢割剁煮炸烤煎馊酸辣咸臊腥鼻肛胃肠肝肾肺痰汗泪贪懒馋怕慌惊歪斜瘪霉锈废垃圾`

// nameChars are characters common in given names of all generations, and in the transcribed names of minorities.
const nameChars = `伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂辉玲华建国文红玉春梅志海波宁斌鑫鹏飞浩宇轩子涵梓萱欣怡佳琪思雨晨阳俊豪嘉诚雅婷晓雪峰龙凤云清莲素珍光荣福生永胜利东林森博天翔一诺可馨诗
若曦语桐沐宸奕辰昊然梦瑶丹妮倩颖慧琳洁莹婉月婵薇茜蓉菲瑞祥卫星家兴振民立新世昌德义忠信学礼智仁孝廉金银铜铁钢水火土木山川河江湖泉淑贞惠美娇媛宜佩君宏达远航启元开泰安康乐喜悦庆祝贺年
正成根发良全来贵有财富长寿顺和平友才旺盛茂松柏竹菊荷花香芝芬芹萍莉苹蕾蓓芸苗茵草叶枝果青绿紫蓝白黑黄彩虹霜露冰寒冬夏秋暖晴朗晖旭昱昕晟暄晗曼昭昀晔景显亮灿炜炎焱煜烨煊熙煦照焕炳勋烈燕莺鹰鹤鸿鹃凰麟
麒骏骥驰骞虎豹彪熊牛羊马龟瑾瑜璇璐璟玥珂珊珠玛玫环玮珺琦琼琴琛琨瑛瑗璞珏珮理琰瑄玺宝贝瑶珍玑石岩岳峻嵩崇岚巍岭峥屹原野田园里庄城京沪津渝川湘粤桂滇黔蒙疆藏青甘陕晋冀鲁豫皖苏浙赣闽台港澳
中华民主共和胜利解放抗战卫国保国爱国爱党爱民拥军援朝跃进红旗红卫向东向阳卫东文革继红建设建军国庆国强国华建平爱华爱玲小大少老幼长伯仲叔季孟阿亚初元首冠魁甲乙丙丁午申酉戌亥寅卯巳
士兵武威猛勇毅坚定恒耐守谨慎谦恭温良俭让宽恕敬诚实真善美纯洁朴素简约静谧安逸闲适悠然自在逍遥凌云壮志凌霄腾飞翱翔展鸣啸歌舞韵律音乐琴瑟筝笛箫笙诗词赋曲书画墨砚笔纸丹青彦哲睿智聪颖敏慧灵秀毓钟萃
心意念想忆恩情爱怜惜慕恋悯惟恺恬恒悟悦愉怿怀怜憬懿忱忻志忍性英杰豪俊贤达圣哲帝皇王公侯伯子男卿相臣将帅士儒侠道德仁礼智勇
妍妙妤姗姝姣娅娥娴娉娓婕婧婳媚媛嫣嫦嫱嬿姬娃婴孩童儿女妹姐姑姨娘妈婆嫂奶爷爸父母兄弟哥宝贝蛋娃
霖霈霄霆雷电雯雁霁霏露沛沁沅汝汐沂泽泓泊泳洪润涓浚淳淇渊清深湛湘溪源滢滔漪漫澄澈瀚瀛濮灏济浦津渡洲沙滨海洋波涛浪潮汛泉涌流滴洒注满
之乎者也以为其而何可凡尔乃自由于如同与及并且但则亦必应当能敢肯愿欲将须宜所攸方正
承继传绍续延绵长久永恒万千百亿兆双三四五六七八九十两单奇偶第甲元次末
程钰铭锐锋锦镇钧钊铎锡铠铮钦鑫铄锴镕鉴铃银针锁链
航舟帆船渔樵耕读农工商学兵医师傅徒生员
凯歌旋胜捷赢奋斗拼搏努力争先创业敬业勤俭节约劳动光荣
廷庭府第宅院堂室厅阁楼台亭榭轩窗门户
思维思远思源念祖怀德守信立业兴邦振邦定邦安邦治国齐家修身
桃李杏梨枣榆槐杨柳桐梓楠樟柏桦枫棠梅樱桂榕椿楷栋梁材枢极桢彬森林
广庆厚载坤乾健顺通亨贞吉祥瑞禄寿禧祺福祉祯佑祐禅
晶晔曙晓昶映旺春景时晚晨夕朝暮午夜星辰斗宿月亮光辉
仪伦伟佳佩侃俐俏俪健偲伊佑佐信修倪
嵘峦崎岱峨巅
卓越超群出众优秀突杰
皓皎洁白雪霜银玉冰清
绮绣锦缎丝绸纱织红绿紫绫纶纯纲维经纬绪缘绘
羽翎翊翰翠翱翼翀
聪耀职联聆圣肃肖
舒畅欢愉欣喜笑乐颜
莎莲荔莘莞菁菡萌萍葆葵蓬蓓蔓蔚蕊蕙薇藤藻蘅芷芮芙苒茗茹荃荟荣莺菀葶蒙蓝
衍裕褀西要誉诗语诺谊谋谷豫贝贞贤赐赫超越路轶辰达迅迎迪远逸道遥邦郁郎鄂采金钟铁铃铭银锁长门闯闻阔阳陆陶雄雅集雨雪雯青靖静韬韶音韵顺颂颉风飞香馥馨驹骄高魁鲁鲜鸣鹏麦黎齐`

// commonest are the characters that most given names of any generation are made of; one of them is ten times as frequent as
// another of nameChars.
const commonest = `英华文明玉秀丽红国军芳平梅建海春金桂兰林志云小永生荣强伟霞燕萍娟凤涛超敏静杰勇洪斌峰辉鹏飞浩宇轩子涵梓萱欣怡佳琪思雨晨俊嘉诗雅婷晓雪龙清莲素珍光福胜利东森博天翔馨瑞祥艳刚玲波宁阳豪倩慧琳洁莹婉
月颖欢义德忠信学新立民家兴世昌元成良才贵有发根长松柏庆安康乐喜`

// modern are characters of the second and third grade that parents have taken to in the last thirty years.
const modern = `祎垚堃喆昇芃旻骁彧芮蓁芊菡煊熠翊霏颢铠锴珩璎沄湉筱曈晞昶旸翌翎栩珞奕弈琰瑄璇玹皓皙睿妤婳嫣滢滟霁骐骞祺禹禾锘`

// transcribed are characters that the names of minorities are spelt with.
const transcribed = `买提阿不都热合曼古丽努尔艾力帕吐逊依明玉素甫卡德迪巴拉木西措姆顿珠旦增平吉索朗边扎卓玛次仁多格桑央旺堆洛尼孜布赛克叶肯别其图日勒乌斯琴哈那苏敖娜托娅高萨罕胡和毕云古阿依扎西卓玛次仁多吉格桑央金旺堆拉姆德洛桑尼巴图日其木合别克汗孜来提苏里亚哈再娜帕夏伊米尔萨吾普江白措平错丹增加嘎罗桑顿布达娃`

var nameSet = sync.OnceValue(func() map[rune]bool {
	m := map[rune]bool{}
	for _, r := range strings.ReplaceAll(nameChars+transcribed, "\n", "") {
		m[r] = true
	}
	return m
})

var unnamedSet = sync.OnceValue(func() map[rune]bool {
	m := map[rune]bool{}
	for _, r := range strings.ReplaceAll(unnamed, "\n", "") {
		m[r] = !nameSet()[r]
	}
	return m
})

var commonestSet = sync.OnceValue(func() map[rune]bool {
	m := map[rune]bool{}
	for _, r := range strings.ReplaceAll(commonest, "\n", "") {
		m[r] = true
	}
	return m
})

var modernSet = sync.OnceValue(func() map[rune]bool {
	m := map[rune]bool{}
	for _, r := range modern {
		m[r] = true
	}
	return m
})
