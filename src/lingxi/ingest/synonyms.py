"""What shops call their columns: words in tiers, an earlier tier goes before a later one.

Names are compared without case, spaces and punctuation, so that ``Invoice No.``, ``invoice_no`` and
``InvoiceNo`` are one.
"""

import re
import unicodedata

Tiers = tuple[str, ...]

ORDER_FIELDS: dict[str, Tiers] = {
    "order": (
        "invoiceno invoice invoicenumber invoiceid invoicenum orderid orderno ordernumber "
        "ordernum ordername orderref orderreference transactionid transactionno "
        "transactionnumber receiptno receiptid receiptnumber basketid billno billnumber "
        "订单号 订单编号 订单id 订单 发票号 交易号 单号 流水号 bestellnummer rechnungsnummer "
        "bestellnr bestellid auftragsnummer auftragsnr rechnungsnr "
        "numerocommande numeropedido",
        "order transaction receipt basket bill ticket ticketid checkoutid documentno "
        "documentnumber saleid",
    ),
    "item": (
        "lineitemsku stockcode itemid itemcode itemno itemnumber productid productcode "
        "productno productnumber sku skuid skucode articleid articleno articlenumber "
        "variantsku 商品编码 商品编号 商品id 产品编码 产品编号 产品id 货号 artikelnummer "
        "artikelnr artikelid artnr",
        "variantid asin ean upc gtin barcode article stockid partno partnumber isbn 商品条码 条码",
        "item product stock 商品 产品 artikel",
    ),
    "name": (
        "lineitemname description itemdescription productdescription itemname productname "
        "producttitle itemtitle articlename stockdescription 商品名称 商品名 产品名称 产品名 "
        "品名 商品描述 artikelbezeichnung artikelname produktname",
        "title name producttext bezeichnung beschreibung 名称 描述",
    ),
    "quantity": (
        "lineitemquantity quantity qty orderqty orderquantity quantityordered qtyordered "
        "itemqty itemquantity quantityrefund units unitssold quantitysold 数量 购买数量 商品数量 "
        "销售数量 件数 menge quantite cantidad",
        "count pieces pcs numberofitems numberofcds noofitems items itemcount",
    ),
    "price": (
        "lineitemprice unitprice priceperunit itemprice price sellingprice saleprice "
        "salesprice unitpricegbp unitpriceusd unitpriceeur 单价 价格 商品单价 售价 成交价 "
        "销售单价 einzelpreis preis prixunitaire precio itemcostbeforediscount",
        "itemcost unitcost rate priceeach",
    ),
    "amount": (
        "linetotal lineamount linevalue amount itemtotal extendedprice totalprice linerevenue "
        "linesales 金额 小计 总价 商品金额 销售金额 实付金额 betrag montant importe",
        "total revenue sales value ordertotal orderamount ordervalue dollarvalue dollars "
        "spend subtotal totalamount grandtotal turnover 订单金额 总金额 销售额",
    ),
    "time": (
        "invoicedate orderdate ordertime orderdatetime ordertimestamp orderedat "
        "ordercreatedat ordercreated purchasedate purchasetime purchasedat transactiondate "
        "transactiontime saledate saletime salesdate receiptdate 下单时间 订单时间 下单日期 "
        "订单日期 订单创建时间 购买时间 交易时间 成交时间 bestelldatum rechnungsdatum",
        "createdat datetime timestamp created createddate creationdate 创建时间 日期时间",
        "date day 日期 datum fecha",
        "paidat paiddate paymentdate paymenttime time 付款时间 支付时间 时间",
    ),
    "clock": ("time timeofday ordertime invoicetime saletime transactiontime hour 时间 下单时间",),
    "customer": (
        "customerid customerno customernumber customercode customer clientid clientno userid "
        "memberid buyerid accountid customeruserid shopperid custid cid uid 客户编号 客户id "
        "会员编号 会员id 会员号 用户id 用户编号 客户 买家id 买家编号 kundennummer idcliente "
        "idclient kundennr kundenid",
        "client user member buyer account shopper 用户 会员 买家 买家昵称 买家会员名 kunde",
    ),
    "email": (
        "email emailaddress customeremail emailbilling billingemail buyeremail useremail mail "
        "邮箱 电子邮箱 客户邮箱",
    ),
    "shipping": (
        "shipping shippingamount shippingcost shippingprice shippingtotal ordershipping "
        "ordershippingamount deliverycost deliveryfee versandkosten 运费 邮费",
    ),
    "discount": (
        "cartdiscountamount cartdiscount orderdiscount orderdiscountamount totaldiscount "
        "discounttotal",
        "discountamount",
    ),
    "refunded": (
        "refundedamount refundamount amountrefunded orderrefundamount totalrefunded 退款金额 "
        "rueckerstattet rückerstattet erstattungsbetrag",
    ),
    "country": (
        "country customercountry countryname countrycode land 国家 国家地区",
        "billingcountry countrycodebilling countrybilling",
        "shippingcountry countrycodeshipping countryshipping deliverycountry",
        "region market 地区",
    ),
    "currency": ("currency currencycode ordercurrency 币种 货币 waehrung",),
    "status": (
        "financialstatus orderstatus status state paymentstatus 订单状态 状态 交易状态",
        "fulfillmentstatus",
    ),
    "kind": (
        "type transactiontype linetype ordertype documenttype saletype 类型 交易类型 订单类型",
    ),
}
"""The fields of an order line. ``clock`` is a time of day that stands beside a date; ``shipping``,
``discount`` and ``refunded`` are amounts of the whole order."""

EVENT_FIELDS: dict[str, Tiers] = {
    "message": ("messageid eventid uuid id",),
    "event": ("event eventname eventtype name action type behavior behaviour 事件 行为",),
    "user": ("userid customerid memberid customer user uid visitorid 用户id 客户编号",),
    "anonymous": ("anonymousid deviceid cookieid clientid visitor anonid 匿名id 设备id",),
    "session": ("sessionid session visitid usersession 会话id",),
    "time": (
        "timestamp occurredat eventtime originaltimestamp time datetime createdat ts 时间",
        "date eventdate 日期",
    ),
    "item": ("productid itemid sku item product itemcode stockcode 商品id 商品编码",),
    "category": ("category categoryid categorycode categoryname 类目 分类",),
    "query": ("query searchterm searchquery keyword 搜索词",),
    "quantity": ("quantity qty count 数量",),
    "price": ("price unitprice value 价格 单价",),
    "agent": ("useragent agent ua",),
    "country": ("country countrycode 国家",),
    "currency": ("currency currencycode 币种",),
    "order": ("orderid ordernumber orderno transactionid 订单号",),
    "email": ("email useremail customeremail emailaddress 邮箱 电子邮箱",),
    "phone": ("phone phonenumber userphone mobile 手机号 电话",),
}
"""The fields of a web or app event."""

CUSTOMER_FIELDS: dict[str, Tiers] = {
    "customer": (
        "customerid customerno customernumber customercode userid memberid buyerid accountid "
        "shopperid custid uid customeruserid kundennummer "
        "客户编号 客户id 会员编号 会员id 会员号 用户id 用户编号",
        "customer user member buyer clientid 客户 会员 用户",
        "id",
    ),
    "email": (
        "email emailaddress customeremail useremail billingemail emailbilling mail 邮箱 电子邮箱",
    ),
    "phone": (
        "phone phonenumber mobile mobilenumber mobilephone telephone tel customerphone "
        "defaultaddressphone billingphone 手机 手机号 手机号码 电话 telefon",
    ),
    "time": (
        "updatedat modifiedat lastmodified lastmodifiedat lastupdated updated modified "
        "datemodified datemodifiedgmt timestamp 更新时间 修改时间",
    ),
    "country": (
        "country countrycode customercountry 国家",
        "defaultaddresscountrycode billingcountry countrybilling",
    ),
    "email_consent": (
        "emailmarketingconsent acceptsemailmarketing acceptsmarketing emailoptin marketingoptin "
        "newsletter newsletteroptin emailsubscribed emailconsent marketingconsent optin 订阅邮件 "
        "接受营销",
        "subscribed",
    ),
    "sms_consent": ("smsmarketingconsent acceptssmsmarketing smsoptin smsconsent 接受短信",),
    "push_consent": ("pushoptin pushconsent acceptspush",),
    "consent_time": (
        "consentat consenttime consentdate optinat optindate optintime subscribedat "
        "emailmarketingconsentconsentupdatedat",
    ),
    "consent_text": ("consenttextversion textversion consentversion consenttext",),
    "consent_source": ("consentsource optinsource signupsource",),
}
"""The fields of a customer; every other column is a trait of theirs."""

ITEM_FIELDS: dict[str, Tiers] = {
    "item": (
        "itemid sku stockcode productid itemcode productcode id variantsku 商品编码 商品编号 "
        "商品id 货号 artikelnummer artikelnr artikelid artnr",
        "item product 商品",
    ),
    "name": (
        "name title productname itemname 商品名称 名称 artikelbezeichnung artikelname produktname",
        "description bezeichnung beschreibung",
    ),
    "category": (
        "categorypath category categoryname producttype type 类目 分类 kategorie warengruppe",
    ),
    "taxonomy": ("googleproductcategory",),
    "brand": ("brand brandname vendor manufacturer 品牌 marke hersteller",),
    "price": (
        "price unitprice variantprice 价格 单价 售价 preis verkaufspreis",
        "saleprice 促销价",
    ),
    "sale_price": ("saleprice 促销价",),
    "sale_dates": ("salepriceeffectivedate",),
    "margin": ("margin profit unitmargin 毛利",),
    "cost": ("cost unitcost costperitem costofgoodssold 成本 einkaufspreis",),
    "stock": (
        "stock inventory quantity stockquantity qty onhand available variantinventoryqty 库存 "
        "bestand lagerbestand",
    ),
    "availability": ("availability",),
    "active": ("active enabled published 上架",),
    "image": ("imagelink image imageurl imagesrc 图片",),
    "url": ("link url producturl 链接",),
    "group": ("itemgroupid groupid parentsku", "handle"),
    "available_from": ("availabilitydate availablefrom",),
    "available_until": ("expirationdate availableuntil",),
}
"""The fields of a catalogue."""

ATTRIBUTE_FIELDS: dict[str, Tiers] = {
    "color": ("color colour 颜色",),
    "size": ("size 尺码 尺寸",),
    "material": ("material 材质",),
    "pattern": ("pattern 图案",),
    "gender": ("gender 性别",),
    "age_group": ("agegroup",),
    "condition": ("condition",),
    "gtin": ("gtin ean upc isbn barcode 条码",),
    "mpn": ("mpn",),
    "size_system": ("sizesystem",),
    "size_type": ("sizetype",),
    **{f"custom_label_{n}": (f"customlabel{n}",) for n in range(5)},
}
"""The attributes of an item that a catalogue may state, by their names there."""


def normalise_header(header: str) -> str:
    """A column's name without case, spaces and punctuation.

    >>> normalise_header(" Invoice No. "), normalise_header("订单 号")
    ('invoiceno', '订单号')
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", header).lower())
